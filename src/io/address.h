// An IP address with a port: where to listen, and who a peer is.
#pragma once

#include <cstdint>
#include <optional>
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
  // "192.0.2.1", "2001:db8::1" or "[2001:db8::1]", each with or without a port behind it, except
  // the second. Nothing else: no name, no zone.
  static std::optional<Address> parse_peer(std::string_view text);

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
  // The keyed hash of network().
  uint64_t network_key() const;
  // Whether the first `bits` are those of `other`, of the same family.
  bool shares(const Address& other, unsigned bits) const;
  // Clears the bits behind the first so many.
  void keep(unsigned bits);
  bool operator==(const Address&) const = default;

 private:
  uint8_t ip_[16] = {};  // the first four for IPv4
  uint16_t port_ = 0;
  bool v6_ = false;
};

using PeerAddress = Address;

// What: the addresses with the same first bits, as "10.0.0.0/8" or "2001:db8::/32"; without a
// length, one address. A value.
class Network {
 public:
  // Refuses what has bits behind its length, which is a slip, and the length 0, which is everybody.
  static Result<Network> parse(std::string_view text);
  bool contains(const Address& address) const { return address.shares(first_, bits_); }

 private:
  Address first_;
  unsigned bits_ = 0;
};

}  // namespace parley::io
