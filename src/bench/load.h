// A load: connects everybody, publishes, and checks what arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/dialect.h"
#include "bench/histogram.h"
#include "bench/ledger.h"
#include "bench/plan.h"
#include "bench/sockets.h"
#include "bench/target.h"

namespace parley::bench {

// How the connections came about.
struct Arrivals {
  double seconds = 0;
  uint64_t ready = 0;
  uint64_t failed = 0;
  std::string why;      // the first that failed
  Histogram latencies;  // from connect() to the last answer
};

struct Outcome {
  double seconds = 0;
  Counts counts;
  uint64_t replies = 0;
  uint64_t reads = 0;     // how the deliveries were joined
  uint64_t closed = 0;    // connections that the server ended
  uint64_t slow_cut = 0;  // ... of those that never read
  uint64_t refused = 0;
  std::string why;  // the first that was refused
  Histogram latencies;
};

// One use. One thread. Failure: what makes the whole run pointless is a Result; the rest is
// counted.
class Load final : Sockets::Listener {
 public:
  Load(const Plan& plan, const Target& target, uint64_t run);

  // So many descriptors it needs.
  static uint64_t connections(const Plan& plan);

  // Connects the first `count` of all; what was connected before stays.
  Arrivals connect(uint32_t count);
  Arrivals connect_all() { return connect(static_cast<uint32_t>(members_.size())); }
  // Publishes for so long, or `count` messages at the most when that is above 0, and waits until
  // all has arrived, or nothing more does.
  Outcome publish(double seconds, uint64_t count);
  // Serves the connections.
  void serve(double seconds);

 private:
  struct Member {
    Peer peer;
    Dialect* dialect = nullptr;
    uint32_t publisher = UINT32_MAX;  // which of the publishers it is
    uint64_t started_ns = 0;
    bool slow = false;
    bool over = false;  // failed or closed
  };

  void on_open(uint32_t index, Buffer& out) override;
  size_t on_bytes(uint32_t index, ByteView bytes, Buffer& answer) override;
  void on_close(uint32_t index, const std::string& why) override;

  void arrived(uint32_t index);
  void give_up(uint32_t index, const std::string& why);
  std::string channel_name(uint32_t channel) const;
  uint32_t member_of(uint32_t stream) const { return first_publisher_ + stream % publishers_; }
  void append_message(uint32_t stream, uint64_t now_ns);
  void send_requests();
  void send_request(uint32_t publisher);
  void top_up(uint32_t publisher);
  void publish_due(double start, double now);
  void drain(double start, double seconds);

  Plan plan_;
  uint64_t run_;
  uint32_t publishers_;
  uint32_t first_publisher_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Dialect>> dialects_;
  std::vector<std::string> names_;  // of the channels
  std::vector<Member> members_;     // subscribers, publishers, those that never read
  Sockets sockets_;
  std::vector<uint32_t> touched_;  // publishers with something to send
  std::vector<uint32_t> free_;     // publishers that wait for no answer
  std::string data_;
  uint32_t next_stream_ = 0;
  uint64_t limit_ = 0;  // messages to publish; 0: none
  bool publishing_ = false;
  Arrivals arrivals_;
  uint32_t settled_ = 0;  // connections that are ready or have failed
  Outcome outcome_;
};

}  // namespace parley::bench
