#include "io/address.h"

#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "base/bytes.h"

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
