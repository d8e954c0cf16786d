// Many client connections in one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/epoll.h>

#include "base/bytes.h"
#include "base/result.h"
#include "bench/target.h"
#include "io/fd.h"

namespace parley::bench {

uint64_t monotonic_ns();
double monotonic();

// What: connections by index, an epoll for all of them. Owner: one Load. Failure: a connection that
// cannot be made or ends is told to the Listener; what ails the machine itself is a Result.
class Sockets {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // What to send first.
    virtual void on_open(uint32_t index, Buffer& out) = 0;
    // Returns how many bytes it took; the rest comes again, with what follows. What is to be sent
    // goes to `answer`.
    virtual size_t on_bytes(uint32_t index, ByteView bytes, Buffer& answer) = 0;
    // why: "" when the server ended it in order.
    virtual void on_close(uint32_t index, const std::string& why) = 0;
  };

  // spin: asks for events again and again instead of sleeping.
  Sockets(uint32_t count, Target target, Listener& listener, bool spin = false);
  ~Sockets();
  Sockets(const Sockets&) = delete;

  // Begins to connect. receive_bytes > 0: so small a receive buffer.
  Result<void> open(uint32_t index, int receive_bytes = 0);
  // From now on the connection is not read; its end is still told.
  void stop_reading(uint32_t index);
  // What flush() sends as soon as the socket takes it.
  Buffer& out(uint32_t index) { return connections_[index].out; }
  void flush(uint32_t index);
  // Waits for events and serves them.
  void poll(double timeout_seconds);

  uint64_t reads() const { return reads_; }
  uint64_t now_ns() const { return now_ns_; }  // of the latest read

 private:
  struct Connection {
    int fd = -1;
    bool connecting = false;
    bool reading = true;
    bool blocked = false;  // waits for room to send
    std::string partial;
    Buffer out;
  };

  int wait(std::span<epoll_event> events, double timeout_seconds);
  void watch(uint32_t index, int operation);
  void on_event(uint32_t index, uint32_t events);
  void on_connected(uint32_t index);
  void read(uint32_t index);
  void take(uint32_t index, ByteView bytes);
  void close(uint32_t index, const std::string& why);

  Target target_;
  Listener& listener_;
  const bool spin_;
  io::UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  Buffer answer_;
  uint64_t reads_ = 0;
  uint64_t now_ns_ = 0;
};

}  // namespace parley::bench
