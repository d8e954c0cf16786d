// An IP address with a port: where to listen, and who a peer is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "base/result.h"

namespace parley::io {

// A value. IPv4 in IPv6 form (::ffff:1.2.3.4) is stored as IPv4, so that a peer has one name.
class Address {
 public:
  Address() = default;
  // "127.0.0.1:8000", "[::1]:8000" or "localhost:8000". No name service is asked: it would block.
  static Result<Address> parse(std::string_view text);
  static Address from(const sockaddr_storage& storage);

  // Fills `storage` and returns the length that belongs to it.
  socklen_t to_sockaddr(sockaddr_storage& storage) const;
  std::string host() const;       // "127.0.0.1" or "::1"
  std::string to_string() const;  // "127.0.0.1:8000" or "[::1]:8000"
  uint16_t port() const { return port_; }
  bool is_v6() const { return v6_; }
  // Whom limits are for: an IPv4 address whole, of an IPv6 one the /64 that one customer has.
  std::string_view network() const {
    return {reinterpret_cast<const char*>(ip_), v6_ ? size_t{8} : size_t{4}};
  }
  bool operator==(const Address&) const = default;

 private:
  uint8_t ip_[16] = {};  // the first four for IPv4
  uint16_t port_ = 0;
  bool v6_ = false;
};

using PeerAddress = Address;

}  // namespace parley::io
