// Whom a request is from when it came through proxies.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/http1/request.h"
#include "io/address.h"

namespace parley::http {

// A value. Believes X-Forwarded-For only of peers in its networks, and of it only what those have
// written: from the right, up to the first address that is none of theirs. What stands before that
// anybody may have made up. Header lines of the same name are one list (RFC 9110 5.3).
class TrustedProxies {
 public:
  TrustedProxies() = default;  // none
  static Result<TrustedProxies> parse(std::span<const std::string> networks);

  // The client; `peer` itself where that is no proxy of ours, or has not said whom it speaks for.
  // Behind what is no address ("unknown") the last proxy counts for all whom it does not name.
  io::PeerAddress client_of(const io::PeerAddress& peer,
                            const codec::http1::Request& request) const;

 private:
  bool trusts(const io::PeerAddress& address) const;

  std::vector<io::Network> networks_;
};

}  // namespace parley::http
