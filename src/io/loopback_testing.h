// Support for io's tests: real sockets on the loopback interface, driven without sleeping.
#pragma once

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/shard.h"

namespace parley::io::testing {

inline constexpr Duration kPatience = seconds(20);

// The peer: a non-blocking client socket.
class Client {
 public:
  explicit Client(const Address& server, int receive_buffer = 0)
      : fd_(::socket(server.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) set(SOL_SOCKET, SO_RCVBUF, receive_buffer);
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    sockaddr_storage storage;
    const socklen_t length = server.to_sockaddr(storage);
    // The kernel completes a loopback connection before anybody accepts it.
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  }

  void send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // As much as the kernel takes now.
  size_t try_send(std::string_view bytes) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<size_t>(n) : 0;
  }
  // Reads what is there; remembers an end or a reset.
  void receive() {
    char buffer[65536];
    while (!ended && !reset) {
      const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) {
        received.append(buffer, static_cast<size_t>(n));
      } else if (n == 0) {
        ended = true;
      } else {
        reset = errno == ECONNRESET;
        return;
      }
    }
  }
  // Waits, for servers in other threads.
  bool receive_until(const std::function<bool()>& done) {
    const Time limit = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit || ended || reset) return false;
      pollfd waiting{fd_.get(), POLLIN, 0};
      ::poll(&waiting, 1, 100);
      receive();
    }
    return true;
  }
  void end() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  void break_off() {
    const linger hard{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd_.reset();
  }
  // From now on nothing reaches it, and so it confirms nothing.
  void lose_what_comes() {
    sock_filter drop{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &drop};
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  }
  Address address() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length);
    return Address::from(storage);
  }

  std::string received;
  bool ended = false;
  bool reset = false;

 private:
  void set(int level, int name, int value) {
    ::setsockopt(fd_.get(), level, name, &value, sizeof value);
  }
  UniqueFd fd_;
};

// What one connection's handler saw; outlives the handler.
struct Record {
  Socket* socket = nullptr;  // null again after closed
  std::string input;
  std::string output;  // what gather() still has to lend
  std::vector<size_t> consumed;
  std::vector<CloseReason> closed;
  bool destroyed = false;
  bool was_blocked = false;
  bool peer_ended = false;
  AfterPeerEnd after_peer_end = AfterPeerEnd::kClose;
  size_t slice_bytes = 1 << 20;  // how gather() cuts the output
  bool shares = false;           // the output can be written together with that of others
  std::function<void(std::span<char>)> on_input;
  std::function<void()> on_gather;
  std::function<void()> on_gather_shared;
  std::function<void(size_t)> on_consumed;
};

class RecordingHandler final : public SocketHandler {
 public:
  explicit RecordingHandler(std::shared_ptr<Record> record) : record_(std::move(record)) {}
  ~RecordingHandler() override { record_->destroyed = true; }

  void on_opened(Socket& socket) override { record_->socket = &socket; }
  void on_input(std::span<char> bytes) override {
    EXPECT_TRUE(record_->closed.empty());
    record_->input.append(bytes.data(), bytes.size());
    if (record_->on_input) record_->on_input(bytes);
  }
  AfterPeerEnd on_peer_end() override {
    record_->peer_ended = true;
    return record_->after_peer_end;
  }
  ByteView gather_shared(size_t most) override {
    EXPECT_TRUE(record_->closed.empty());
    if (!record_->shares || record_->output.size() > most) return {};
    if (record_->on_gather_shared) record_->on_gather_shared();
    return record_->output;
  }
  void gather(OutSlices& out) override {
    EXPECT_TRUE(record_->closed.empty());
    if (record_->on_gather) record_->on_gather();
    std::string_view rest = record_->output;
    while (!rest.empty()) {
      const std::string_view slice = rest.substr(0, record_->slice_bytes);
      if (!out.append(slice)) return;
      rest.remove_prefix(slice.size());
    }
  }
  void consumed(size_t n) override {
    record_->consumed.push_back(n);
    record_->output.erase(0, n);
    record_->was_blocked = record_->was_blocked || record_->socket->blocked();
    if (record_->on_consumed) record_->on_consumed(n);
  }
  void on_closed(CloseReason reason) override {
    record_->closed.push_back(reason);
    record_->socket = nullptr;
  }

 private:
  std::shared_ptr<Record> record_;
};

// Sends what another had not sent, if anything, and back what it receives. Keeps no record, so it
// can run on any shard's thread.
class EchoHandler final : public SocketHandler {
 public:
  explicit EchoHandler(std::string unsent = {}) : output_(std::move(unsent)) {}
  void on_opened(Socket& socket) override {
    socket_ = &socket;
    if (!output_.empty()) socket.mark_dirty();
  }
  void on_input(std::span<char> bytes) override {
    output_.append(bytes.data(), bytes.size());
    socket_->mark_dirty(Urgency::kReply);
  }
  void gather(OutSlices& out) override { out.append(output_); }
  void consumed(size_t n) override { output_.erase(0, n); }
  void on_closed(CloseReason) override {}

 private:
  Socket* socket_ = nullptr;
  std::string output_;
};

inline std::vector<Listener> loopback_listeners(size_t count, const ListenOptions& options = {}) {
  auto listeners = bind_listeners(Address::parse("127.0.0.1:0").value(), count, options);
  EXPECT_TRUE(listeners.has_value()) << (listeners ? "" : listeners.error().message);
  return std::move(listeners).value();
}

// One shard on the test's own thread, with a listener.
class LoopbackTest : public ::testing::Test {
 protected:
  LoopbackTest() { start({}); }
  ~LoopbackTest() override {
    shard.reset();
    affinity::set_current(kNoShard);
  }

  void start(ShardOptions options, const ListenOptions& listen = {},
             const AcceptOptions& accept = {}) {
    affinity::set_current(options.id);
    records.clear();
    shard = std::make_unique<Shard>(std::move(options));
    auto listeners = loopback_listeners(1, listen);
    address = listeners[0].address;
    shard->listen(
        std::move(listeners[0]),
        [this](const PeerAddress& peer) {
          peers.push_back(peer);
          records.push_back(std::make_shared<Record>());
          if (prepare) prepare(*records.back());
          return std::make_unique<RecordingHandler>(records.back());
        },
        accept);
  }

  // Turns until `done`.
  ::testing::AssertionResult pump(const std::function<bool()>& done) {
    const Time limit = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit)
        return ::testing::AssertionFailure() << "waited in vain";
      shard->turn(milliseconds(10));
    }
    return ::testing::AssertionSuccess();
  }
  // Connects and waits until the server has it.
  std::unique_ptr<Client> connect(int receive_buffer = 0) {
    const size_t before = records.size();
    auto client = std::make_unique<Client>(address, receive_buffer);
    EXPECT_TRUE(pump([&] { return records.size() > before; }));
    return client;
  }
  Record& last() { return *records.back(); }
  void write(Record& record, std::string_view bytes, Urgency urgency = Urgency::kNormal) {
    record.output.append(bytes);
    record.socket->mark_dirty(urgency);
  }

  std::unique_ptr<Shard> shard;
  Address address;
  std::vector<std::shared_ptr<Record>> records;
  std::vector<PeerAddress> peers;
  std::function<void(Record&)> prepare;
};

// Bytes whose position can be told from their value.
inline std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

}  // namespace parley::io::testing
