#include "io/address.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace parley::io {

Result<Address> Address::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return fail(fmt::format("'{}' is no address to listen on: {}", text, why));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("write HOST:PORT, for example 127.0.0.1:8000");
  std::string_view host_text = text.substr(0, colon);
  Address address;
  if (!parse_uint(text.substr(colon + 1), address.port_)) {
    return bad("the port is a number from 0 to 65535");
  }
  if (host_text.starts_with('[') && host_text.ends_with(']')) {
    host_text = host_text.substr(1, host_text.size() - 2);
    address.v6_ = true;
  } else if (host_text.find(':') != std::string_view::npos) {
    return bad("put an IPv6 address in brackets, for example [::1]:8000");
  } else if (host_text == "localhost") {
    host_text = "127.0.0.1";
  }
  if (host_text.empty()) return bad("name the address too; 0.0.0.0 means all of this machine");
  const std::string host(host_text);
  if (::inet_pton(address.v6_ ? AF_INET6 : AF_INET, host.c_str(), address.ip_) != 1) {
    return bad("the host must be an IP address or localhost");
  }
  return address;
}

std::optional<Address> Address::parse_peer(std::string_view text) {
  Address address;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
    address.v6_ = true;
  } else if (const size_t colon = text.find(':'); colon == text.rfind(':')) {
    if (colon != text.npos) port = text.substr(colon);
    text = text.substr(0, colon);
  } else {
    address.v6_ = true;
  }
  const bool port_fits =
      port.empty() || (port.starts_with(':') && parse_uint(port.substr(1), address.port_));
  if (!port_fits || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  if (::inet_pton(address.v6_ ? AF_INET6 : AF_INET, std::string(text).c_str(), address.ip_) != 1)
    return std::nullopt;
  in6_addr mapped{};
  std::memcpy(&mapped, address.ip_, sizeof mapped);
  if (address.v6_ && IN6_IS_ADDR_V4MAPPED(&mapped)) {
    address.v6_ = false;
    std::memmove(address.ip_, address.ip_ + 12, 4);
    std::memset(address.ip_ + 4, 0, 12);
  }
  return address;
}

uint64_t Address::network_key() const { return siphash13(process_hash_key(), network()); }

bool Address::shares(const Address& other, unsigned bits) const {
  if (v6_ != other.v6_) return false;
  const unsigned bytes = bits / 8;
  if (std::memcmp(ip_, other.ip_, bytes) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (ip_[bytes] ^ other.ip_[bytes]) >> (8 - rest) == 0;
}

Result<Network> Network::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return fail(fmt::format("'{}' is no network: {}", text, why));
  };
  Network network;
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto first = Address::parse_peer(host);
  const bool mapped = first && !first->is_v6() && host.find(':') != host.npos;
  if (!first || first->port() != 0 || host.starts_with('[') || mapped)
    return bad("write an address and a length, for example 10.0.0.0/8 or 2001:db8::/32");
  network.first_ = *first;
  const unsigned most = first->is_v6() ? 128 : 32;
  network.bits_ = most;
  if (slash == text.npos) return network;
  if (!parse_uint(text.substr(slash + 1), network.bits_) || network.bits_ > most)
    return bad(fmt::format("its length is a number from 1 to {}", most));
  if (network.bits_ == 0) return bad("everybody is in it, so that nobody's address would count");
  Address masked = *first;
  masked.keep(network.bits_);
  if (masked != *first)
    return bad(fmt::format("write {}/{}, or the address alone", masked.host(), network.bits_));
  return network;
}

void Address::keep(unsigned bits) {
  for (unsigned i = 0; i < sizeof ip_; ++i) {
    const unsigned kept = bits > 8 * i ? std::min(bits - 8 * i, 8u) : 0;
    ip_[i] = static_cast<uint8_t>(ip_[i] & (0xff00u >> kept));
  }
}

Address Address::from(const sockaddr_storage& storage) {
  Address address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    std::memcpy(address.ip_, &v4.sin_addr, 4);
    address.port_ = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    address.port_ = ntohs(v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      std::memcpy(address.ip_, v6.sin6_addr.s6_addr + 12, 4);
    } else {
      address.v6_ = true;
      std::memcpy(address.ip_, &v6.sin6_addr, 16);
    }
  }
  return address;
}

socklen_t Address::to_sockaddr(sockaddr_storage& storage) const {
  storage = {};
  if (v6_) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, ip_, 16);
    std::memcpy(&storage, &v6, sizeof v6);
    return sizeof v6;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  std::memcpy(&v4.sin_addr, ip_, 4);
  std::memcpy(&storage, &v4, sizeof v4);
  return sizeof v4;
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(v6_ ? AF_INET6 : AF_INET, ip_, text, sizeof text);
  return text;
}

std::string Address::to_string() const {
  return v6_ ? fmt::format("[{}]:{}", host(), port_) : fmt::format("{}:{}", host(), port_);
}

}  // namespace parley::io
