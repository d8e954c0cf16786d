#include "bench/generator.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/payload.h"
#include "bench/wire.h"

namespace parley::bench {
namespace {

constexpr uint32_t kConnectingAtOnce = 128;
constexpr double kDrainSeconds = 15;
constexpr size_t kBufferBytes = 256 * 1024;
constexpr uint32_t kStdin = UINT32_MAX;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}
double monotonic() { return static_cast<double>(monotonic_ns()) * 1e-9; }

}  // namespace

Generator::Generator(const LoadOptions& options)
    : options_(options),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(publisher() + 1),
      buffer_(kBufferBytes),
      sequences_(options.channels) {
  if (epoll_ < 0) die("epoll");
}

Generator::~Generator() {
  // A reset leaves no port in TIME_WAIT, which the next run might need.
  const linger hard{1, 0};
  for (const Connection& connection : connections_) {
    if (connection.fd < 0) continue;
    ::setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(connection.fd);
  }
  ::close(epoll_);
}

std::string Generator::channel_name(uint32_t channel) const {
  char name[32];
  std::snprintf(name, sizeof name, "bench-%06u", channel);
  return name;
}

// --- connecting

void Generator::connect_all() {
  uint32_t started = 0;
  const auto all = static_cast<uint32_t>(connections_.size());
  while (ready_ < all) {
    while (started < all && started - ready_ < kConnectingAtOnce) start_connection(started++);
    poll(1);
  }
}

void Generator::start_connection(uint32_t index) {
  Connection& connection = connections_[index];
  connection.channel = index / options_.subscribers;
  connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) die("socket");
  const int on = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    die("connect");
  connection.state = State::kConnecting;
  epoll_event event{.events = EPOLLOUT, .data = {.u32 = index}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
}

// Returns the length of the response's head, 0 while it is incomplete.
size_t Generator::on_upgrade(uint32_t index, std::string_view bytes) {
  Connection& connection = connections_[index];
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!bytes.starts_with("HTTP/1.1 101")) die("the handshake was refused");
  connection.state = State::kGreeting;
  send_now(connection, R"({"id":1,"connect":{}})");
  return end + 4;
}

void Generator::send_now(Connection& connection, std::string_view message) {
  scratch_.clear();
  append_client_frame(scratch_, message);
  send_raw(connection, scratch_);
}

void Generator::send_raw(Connection& connection, std::string_view bytes) {
  if (::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size()))
    die("send");
}

// --- events

void Generator::poll(double timeout_seconds) {
  std::array<epoll_event, 256> events;
  const auto ns = static_cast<int64_t>(std::max(0.0, timeout_seconds) * 1e9);
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  const int count =
      ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_wait");
  for (int i = 0; i < count; ++i)
    if (events[static_cast<size_t>(i)].data.u32 != kStdin)
      on_event(events[static_cast<size_t>(i)].data.u32, events[static_cast<size_t>(i)].events);
}

void Generator::on_event(uint32_t index, uint32_t events) {
  Connection& connection = connections_[index];
  if (connection.state == State::kConnecting && (events & EPOLLOUT) != 0) {
    connection.state = State::kUpgrading;
    epoll_event event{.events = EPOLLIN, .data = {.u32 = index}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
    return send_raw(
        connection,
        "GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }
  if (index == publisher() && (events & EPOLLOUT) != 0) {
    epoll_event event{.events = EPOLLIN, .data = {.u32 = index}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
    out_blocked_ = false;
    flush_publisher();
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return;
  const ssize_t n = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (connection.state != State::kReady) die("closed before the subscription");
    ++result_.closed;
    ::close(connection.fd);
    connection.fd = -1;
    connection.state = State::kClosed;
    return;
  }
  ++result_.read_calls;
  now_ns_ = monotonic_ns();
  on_bytes(index, {buffer_.data(), static_cast<size_t>(n)});
}

void Generator::on_bytes(uint32_t index, std::string_view bytes) {
  Connection& connection = connections_[index];
  if (!connection.partial.empty()) {
    connection.partial.append(bytes);
    bytes = connection.partial;
  }
  if (connection.state == State::kUpgrading) bytes.remove_prefix(on_upgrade(index, bytes));
  while (connection.state != State::kUpgrading) {
    const auto frame = parse_frame(bytes);
    if (!frame) break;
    if (frame->opcode == 1)
      on_message(index, bytes.substr(frame->payload, frame->end - frame->payload), frame->end);
    bytes.remove_prefix(frame->end);
  }
  if (bytes.empty()) {
    std::string().swap(connection.partial);
  } else {
    connection.partial = std::string(bytes);
  }
}

void Generator::on_message(uint32_t index, std::string_view message, size_t frame_bytes) {
  Connection& connection = connections_[index];
  if (message.starts_with(R"({"push")")) return on_delivery(connection, message, frame_bytes);
  if (message == "{}") return send_now(connection, "{}");
  if (message.find(R"("error":)") != std::string_view::npos) {
    std::fprintf(stderr, "load: the server refused: %.*s\n", static_cast<int>(message.size()),
                 message.data());
    std::exit(1);
  }
  if (connection.state == State::kReady) {
    ++result_.replies;
  } else if (connection.state == State::kGreeting && index != publisher()) {
    connection.state = State::kSubscribing;
    send_now(connection,
             R"({"id":2,"subscribe":{"channel":")" + channel_name(connection.channel) + R"("}})");
  } else {
    connection.state = State::kReady;
    ++ready_;
  }
}

void Generator::on_delivery(Connection& connection, std::string_view message, size_t frame_bytes) {
  constexpr std::string_view kData = R"("data":")";
  const size_t found = message.find(kData);
  Payload payload;
  if (found == std::string_view::npos ||
      !Payload::parse(message.substr(found + kData.size()), payload) ||
      payload.channel != connection.channel || payload.message >= undelivered_.size()) {
    ++result_.misrouted;
    return;
  }
  if (payload.sequence <= connection.last) {
    ++result_.repeated;
    return;
  }
  result_.lost += payload.sequence - connection.last - 1;
  connection.last = payload.sequence;
  ++result_.deliveries;
  result_.delivered_bytes += frame_bytes;
  latencies_.add(now_ns_ - payload.sent_ns);
  if (--undelivered_[payload.message] == 0) ++complete_;
}

// --- publishing

void Generator::append_publication(uint64_t now_ns) {
  const auto channel = static_cast<uint32_t>(messages_ % options_.channels);
  const Payload payload{.message = messages_++,
                        .sequence = ++sequences_[channel],
                        .channel = channel,
                        .sent_ns = now_ns};
  undelivered_.push_back(options_.subscribers);
  std::string& command = scratch_;
  command = R"({"id":)" + std::to_string(messages_ + 1) + R"(,"publish":{"channel":")" +
            channel_name(channel) + R"(","data":)";
  payload.append_to(command, options_.payload_bytes);
  command += "}}";
  append_client_frame(out_, command);
}

void Generator::flush_publisher() {
  if (out_.empty() || out_blocked_) return;
  Connection& connection = connections_[publisher()];
  const ssize_t n = ::send(connection.fd, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) die("publish");
  if (n > 0) out_.erase(0, static_cast<size_t>(n));
  if (out_.empty()) return;
  out_blocked_ = true;
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u32 = publisher()}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Generator::publish_due(double start, double now) {
  const uint64_t published = messages_ - published_before_;
  uint64_t due = 0;
  if (options_.window > 0) {
    due = options_.window - (messages_ - complete_);
  } else {
    const auto until_now = static_cast<uint64_t>((now - start) * options_.rate) + 1;
    due = until_now > published ? until_now - published : 0;
  }
  if (options_.count > 0) due = std::min<uint64_t>(due, options_.count - published);
  if (due == 0) return;
  const uint64_t now_ns = monotonic_ns();
  for (; due > 0; --due) append_publication(now_ns);
  flush_publisher();
}

LoadResult Generator::publish(double seconds, uint32_t count) {
  result_ = {};
  latencies_.clear();
  options_.count = count;
  published_before_ = messages_;
  const double start = monotonic();
  double now = start;
  const auto more = [&] {
    return count > 0 ? messages_ - published_before_ < count : now < start + seconds;
  };
  while (more()) {
    publish_due(start, now);
    const double next = start + static_cast<double>(messages_ - published_before_) / options_.rate;
    const double until = count > 0 ? next : std::min(next, start + seconds);
    poll(options_.window > 0 ? 0.01 : until - monotonic());
    now = monotonic();
  }
  while (complete_ < messages_ && now < start + seconds + kDrainSeconds) {
    poll(0.1);
    now = monotonic();
  }
  result_.seconds = now - start;
  result_.published = messages_ - published_before_;
  result_.missing = result_.published * options_.subscribers - result_.deliveries - result_.lost;
  return result_;
}

void Generator::idle() {
  epoll_event event{.events = EPOLLIN, .data = {.u32 = kStdin}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  char line[64];
  while (::read(STDIN_FILENO, line, sizeof line) != 0) poll(1);
}

}  // namespace parley::bench
