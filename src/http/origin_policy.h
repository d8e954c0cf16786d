// Which web pages may connect (RFC 6454, RFC 6455 10.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/http1/request.h"

namespace parley::http {

// A value. Browsers name the page's origin in a header that scripts cannot forge; a request without
// one comes from no browser and passes. A page of this very host passes always.
class OriginPolicy {
 public:
  OriginPolicy() = default;
  // Origins as "https://example.com"; '*' in one stands for any run of characters, '?' for one,
  // and "*" alone for all.
  explicit OriginPolicy(std::vector<std::string> allowed);

  // `origin` and `host` are the request's headers, "" when missing.
  bool allows(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> allowed_;  // in lower case
};

// Whether the request comes from this machine: its Host is a loopback name, and so is the page's
// origin if a browser names one. A server without keys asks for this: otherwise any page that its
// user visits could speak to it, across sites or by rebinding its own name to 127.0.0.1.
bool is_from_this_machine(const codec::http1::Request& request);

}  // namespace parley::http
