// The bare loop: what it costs to send Parley's own frames and to do nothing else. Trivial
// handshakes, canned replies, and for what one read brought in publications of a channel, one
// send() of their joined frames to each subscriber and one of their joined answers. No history, no
// limits, no care for slow readers: no server, but the price that any server pays.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/wire.h"

namespace parley::bench {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;

constexpr std::string_view kUpgraded =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::string_view kConnected =
    R"({"id":1,"connect":{"client":"00000000-0000-4000-8000-000000000000","version":"floor"}})";
constexpr std::string_view kSubscribed = R"({"id":2,"subscribe":{}})";

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "floor: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

class Floor {
 public:
  explicit Floor(uint16_t port) : epoll_(::epoll_create1(0)), listener_(listen_on(port)) {
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else {
          read(fd);
        }
      }
    }
  }

 private:
  struct Channel {
    std::vector<int> subscribers;
    uint64_t offset = 0;
    std::string joined;  // frames of the publications in this read
  };
  struct Peer {
    bool upgraded = false;
    std::string partial;
  };

  static int listen_on(uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Inherited by what is accepted.
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (::listen(fd, 4096) != 0) die("listen");
    return fd;
  }

  void watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      if (peers_.size() <= static_cast<size_t>(fd)) peers_.resize(static_cast<size_t>(fd) + 1);
      peers_[static_cast<size_t>(fd)] = {};
      watch(fd);
    }
  }

  void read(int fd) {
    const ssize_t n = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0) return;
    if (n == 0) {
      ::close(fd);
      return;
    }
    Peer& peer = peers_[static_cast<size_t>(fd)];
    std::string_view bytes(buffer_.data(), static_cast<size_t>(n));
    if (!peer.partial.empty()) {
      peer.partial.append(bytes);
      whole_.swap(peer.partial);
      peer.partial.clear();
      bytes = whole_;
    }
    if (!peer.upgraded) {
      const size_t end = bytes.find("\r\n\r\n");
      if (end != std::string_view::npos) {
        peer.upgraded = true;
        write(fd, kUpgraded);
        bytes.remove_prefix(end + 4);
      }
    }
    while (peer.upgraded) {
      const auto frame = parse_frame(bytes);
      if (!frame) break;
      message_.assign(bytes.substr(frame->payload, frame->end - frame->payload));
      const char* mask = bytes.data() + frame->payload - 4;
      for (size_t i = 0; i < message_.size(); ++i)
        message_[i] = static_cast<char>(message_[i] ^ mask[i % 4]);
      on_message(fd, message_);
      bytes.remove_prefix(frame->end);
    }
    if (!bytes.empty()) peer.partial.assign(bytes);
    send_joined(fd);
  }

  void on_message(int fd, std::string_view message) {
    if (message.find(R"("publish":)") != std::string_view::npos) return on_publish(message);
    frame_.clear();
    if (message.find(R"("subscribe":)") != std::string_view::npos) {
      channels_[std::string(after(message, R"("channel":")", "\""))].subscribers.push_back(fd);
      append_server_frame(frame_, kSubscribed);
    } else {
      append_server_frame(frame_, kConnected);
    }
    write(fd, frame_);
  }

  // The same bytes as Parley sends: the publisher's id and the offset included.
  void on_publish(std::string_view message) {
    const std::string_view name = after(message, R"("channel":")", "\"");
    const std::string_view data = after(message, R"("data":)", "}");
    Channel& channel = channels_[std::string(name)];
    text_.assign(R"({"push":{"channel":")").append(name);
    text_.append(R"(","pub":{"data":)").append(data);
    text_.append(
        R"(,"info":{"user":"","client":"00000000-0000-4000-8000-000000000000"},"offset":)");
    text_.append(std::to_string(++channel.offset)).append("}}}");
    if (channel.joined.empty()) touched_.push_back(&channel);
    append_server_frame(channel.joined, text_);
    text_.assign(R"({"id":)").append(after(message, R"("id":)", ",")).append(R"(,"publish":{}})");
    append_server_frame(answers_, text_);
  }

  // A publisher that subscribes has its publications and its answers in one.
  void send_joined(int publisher) {
    for (Channel* channel : touched_) {
      for (const int fd : channel->subscribers) {
        if (fd == publisher) {
          answers_ += channel->joined;
        } else {
          write(fd, channel->joined);
        }
      }
      channel->joined.clear();
    }
    touched_.clear();
    write(publisher, answers_);
    answers_.clear();
  }

  static void write(int fd, std::string_view bytes) {
    // A reader that is behind by a whole socket buffer would need a queue in a server; here all
    // wait for it.
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) die("send");
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
      pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
      if (!bytes.empty()) ::poll(&room, 1, -1);
    }
  }

  int epoll_;
  int listener_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::vector<Peer> peers_;
  std::unordered_map<std::string, Channel> channels_;
  std::vector<Channel*> touched_;
  std::string whole_, message_, frame_, text_, answers_;
};

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_floor PORT\n", stderr);
    return 2;
  }
  parley::bench::Floor floor(static_cast<uint16_t>(std::atoi(argv[1])));
  floor.run();
}
