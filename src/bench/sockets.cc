#include "bench/sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace parley::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;

}  // namespace

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

double monotonic() { return static_cast<double>(monotonic_ns()) * 1e-9; }

Sockets::Sockets(uint32_t count, Target target, Listener& listener, bool spin)
    : target_(std::move(target)),
      listener_(listener),
      spin_(spin),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(count),
      buffer_(kBufferBytes) {
  CHECK(epoll_);
}

Sockets::~Sockets() {
  // A reset leaves no port in TIME_WAIT, which the next run might need.
  const linger hard{1, 0};
  for (const Connection& connection : connections_) {
    if (connection.fd < 0) continue;
    ::setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(connection.fd);
  }
}

Result<void> Sockets::open(uint32_t index, int receive_bytes) {
  Connection& connection = connections_[index];
  connection.fd =
      ::socket(target_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return fail(std::string("no socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_bytes > 0)
    ::setsockopt(connection.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  const auto* address = reinterpret_cast<const sockaddr*>(&target_.address);
  if (::connect(connection.fd, address, target_.length) != 0 && errno != EINPROGRESS) {
    if (errno == EADDRNOTAVAIL)
      return fail(
          "this machine has no port left for one more connection to that address; see "
          "net.ipv4.ip_local_port_range");
    return fail("cannot connect to " + target_.host + ": " + std::strerror(errno));
  }
  connection.connecting = true;
  watch(index, EPOLL_CTL_ADD);
  return {};
}

void Sockets::watch(uint32_t index, int operation) {
  const Connection& connection = connections_[index];
  uint32_t events = EPOLLRDHUP;
  if (connection.reading && !connection.connecting) events |= EPOLLIN;
  if (connection.connecting || connection.blocked) events |= EPOLLOUT;
  epoll_event event{.events = events, .data = {.u32 = index}};
  ::epoll_ctl(epoll_.get(), operation, connection.fd, &event);
}

void Sockets::stop_reading(uint32_t index) {
  connections_[index].reading = false;
  if (connections_[index].fd >= 0) watch(index, EPOLL_CTL_MOD);
}

void Sockets::close(uint32_t index, const std::string& why) {
  Connection& connection = connections_[index];
  ::close(connection.fd);
  connection.fd = -1;
  connection.out.clear();
  listener_.on_close(index, why);
}

int Sockets::wait(std::span<epoll_event> events, double timeout_seconds) {
  const auto ns = spin_ ? 0 : static_cast<int64_t>(std::max(0.0, timeout_seconds) * 1e9);
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  const double end = monotonic() + timeout_seconds;
  int count = 0;
  do {
    count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &timeout,
                           nullptr);
  } while (spin_ && count == 0 && monotonic() < end);
  return count;
}

void Sockets::poll(double timeout_seconds) {
  std::array<epoll_event, 256> events;
  const int count = wait(events, timeout_seconds);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    on_event(event.data.u32, event.events);
  }
}

void Sockets::on_event(uint32_t index, uint32_t events) {
  Connection& connection = connections_[index];
  if (connection.fd < 0) return;
  if (connection.connecting) return on_connected(index);
  if ((events & EPOLLOUT) != 0) {
    connection.blocked = false;
    watch(index, EPOLL_CTL_MOD);
    flush(index);
    if (connection.fd < 0) return;
  }
  if (!connection.reading) {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) close(index, "");
    return;
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) read(index);
}

void Sockets::on_connected(uint32_t index) {
  Connection& connection = connections_[index];
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0)
    return close(index, "cannot connect to " + target_.host + ": " + std::strerror(error));
  connection.connecting = false;
  watch(index, EPOLL_CTL_MOD);
  listener_.on_open(index, connection.out);
  flush(index);
}

void Sockets::read(uint32_t index) {
  const ssize_t n = ::recv(connections_[index].fd, buffer_.data(), buffer_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return close(index, n < 0 ? std::strerror(errno) : "");
  ++reads_;
  now_ns_ = monotonic_ns();
  take(index, {buffer_.data(), static_cast<size_t>(n)});
}

void Sockets::take(uint32_t index, ByteView bytes) {
  Connection& connection = connections_[index];
  if (!connection.partial.empty()) {
    connection.partial.append(bytes);
    bytes = connection.partial;
  }
  answer_.clear();
  const size_t taken = listener_.on_bytes(index, bytes, answer_);
  if (!answer_.empty()) {
    connection.out.append(answer_);
    flush(index);
  }
  if (taken == bytes.size()) {
    // Idle connections hold nothing, so that thousands of them are cheap here too.
    std::string().swap(connection.partial);
  } else {
    connection.partial = std::string(bytes.substr(taken));
  }
}

void Sockets::flush(uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.out.empty() || connection.blocked || connection.connecting || connection.fd < 0)
    return;
  const ssize_t n =
      ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  // What else went wrong is read from the socket next.
  if (n < 0 && errno != EAGAIN && errno != EINTR) return;
  if (n > 0) connection.out.erase(0, static_cast<size_t>(n));
  if (connection.out.empty()) return;
  connection.blocked = true;
  watch(index, EPOLL_CTL_MOD);
}

}  // namespace parley::bench
