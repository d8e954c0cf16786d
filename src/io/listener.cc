#include "io/listener.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace parley::io {
namespace {

std::unexpected<Error> bind_error(const Address& address, int error) {
  const std::string where = address.to_string();
  constexpr const char* kAdvice = "choose another with --listen HOST:PORT";
  switch (error) {
    case EADDRINUSE:
      return fail(
          fmt::format("{} is already in use: stop the other process or choose another port with "
                      "--listen HOST:PORT",
                      where));
    case EACCES:
      return fail(fmt::format(
          "no permission to listen on {}: ports below 1024 need root or CAP_NET_BIND_SERVICE; {}",
          where, kAdvice));
    case EADDRNOTAVAIL:
      return fail(fmt::format("{} is not an address of this machine: {}", where, kAdvice));
    case EAFNOSUPPORT:
      return fail(
          fmt::format("this machine has no IPv6, so it cannot listen on {}: {}", where, kAdvice));
    default:
      return fail(
          fmt::format("cannot listen on {} ({}): {}", where, std::strerror(error), kAdvice));
  }
}

bool set_option(const UniqueFd& fd, int level, int name, int value) {
  return ::setsockopt(fd.get(), level, name, &value, sizeof value) == 0;
}

// `shared` sockets may stand beside others on one port (SO_REUSEPORT).
Result<UniqueFd> bind_one(const Address& address, bool shared) {
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return bind_error(address, errno);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return bind_error(address, errno);
  // [::] takes IPv4 too, whatever the system's default says.
  if (address.is_v6()) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  sockaddr_storage storage;
  const socklen_t length = address.to_sockaddr(storage);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    return bind_error(address, errno);
  }
  return fd;
}

void set_inherited_options(const UniqueFd& fd, const ListenOptions& options) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.notsent_lowat > 0) {
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, options.notsent_lowat);
  }
  if (options.send_buffer > 0) set_option(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  const auto timeout = std::chrono::duration_cast<milliseconds>(options.user_timeout).count();
  if (timeout > 0) set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(timeout));
}

}  // namespace

Result<std::vector<Listener>> bind_listeners(const Address& address, size_t count,
                                             const ListenOptions& options) {
  // With SO_REUSEPORT a second server of the same user would silently share the port; a socket
  // without it finds out.
  TRY(bind_one(address, false));
  std::vector<Listener> listeners;
  Address actual = address;
  for (size_t i = 0; i < count; ++i) {
    UniqueFd fd = TRY(bind_one(actual, true));
    set_inherited_options(fd, options);
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
      return bind_error(actual, errno);
    }
    actual = Address::from(storage);
    listeners.push_back({std::move(fd), actual, options.backlog});
  }
  return listeners;
}

}  // namespace parley::io
