// The load: many WebSocket clients in one thread, and one publisher.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/histogram.h"

namespace parley::bench {

struct LoadOptions {
  uint16_t port = 0;
  uint32_t channels = 1;
  uint32_t subscribers = 1000;  // of each channel
  uint32_t window = 0;          // messages in flight; 0: `rate` instead
  double rate = 20;             // messages a second, over all channels
  double seconds = 2;
  double warm_seconds = 0.5;
  uint32_t count = 0;  // publish so many instead of for `seconds`, without a warm-up
  uint32_t payload_bytes = 128;
  bool idle = false;  // connect, subscribe, answer pings, until stdin ends
};

// What became of the messages of the measured time.
struct LoadResult {
  double seconds = 0;
  uint64_t published = 0;
  uint64_t deliveries = 0;
  uint64_t delivered_bytes = 0;  // whole frames
  uint64_t replies = 0;
  uint64_t lost = 0;        // a later message of the channel came, this one did not
  uint64_t missing = 0;     // did not come until the end
  uint64_t repeated = 0;    // came again, or behind a later one
  uint64_t misrouted = 0;   // came to who had not asked for it
  uint64_t closed = 0;      // connections that the server ended
  uint64_t read_calls = 0;  // how the deliveries were joined
};

// What: connects and subscribes everybody, then publishes and checks what arrives. One use.
// Failure: what makes a measurement pointless (no connection, an error reply) ends the process.
class Generator {
 public:
  explicit Generator(const LoadOptions& options);
  ~Generator();

  void connect_all();
  // Publishes for so long (or so many messages) and waits until everything has arrived.
  LoadResult publish(double seconds, uint32_t count);
  // Serves the connections until stdin ends.
  void idle();
  const Histogram& latencies() const { return latencies_; }

 private:
  enum class State : uint8_t { kClosed, kConnecting, kUpgrading, kGreeting, kSubscribing, kReady };
  struct Connection {
    int fd = -1;
    State state = State::kClosed;
    uint32_t channel = 0;
    uint64_t last = 0;  // sequence number of the newest message
    std::string partial;
  };

  uint32_t publisher() const { return options_.channels * options_.subscribers; }
  void start_connection(uint32_t index);
  void poll(double timeout_seconds);
  void on_event(uint32_t index, uint32_t events);
  void on_bytes(uint32_t index, std::string_view bytes);
  size_t on_upgrade(uint32_t index, std::string_view bytes);
  void on_message(uint32_t index, std::string_view message, size_t frame_bytes);
  void on_delivery(Connection& connection, std::string_view message, size_t frame_bytes);
  void send_now(Connection& connection, std::string_view message);
  void send_raw(Connection& connection, std::string_view bytes);
  void append_publication(uint64_t now_ns);
  void flush_publisher();
  void publish_due(double start, double now);
  std::string channel_name(uint32_t channel) const;

  LoadOptions options_;
  int epoll_;
  std::vector<Connection> connections_;  // the publisher last
  std::vector<char> buffer_;
  uint32_t ready_ = 0;
  std::string out_;  // of the publisher
  bool out_blocked_ = false;
  std::string scratch_;
  std::vector<uint64_t> sequences_;    // by channel
  std::vector<uint32_t> undelivered_;  // by message: to how many it has still to come
  uint64_t messages_ = 0;
  uint64_t published_before_ = 0;  // messages_ at the start of publish()
  uint64_t complete_ = 0;          // messages that all have
  uint64_t now_ns_ = 0;
  LoadResult result_;
  Histogram latencies_;
};

}  // namespace parley::bench
