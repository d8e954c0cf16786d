// The books of a load: what was published, and what became of it at each subscriber.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "bench/histogram.h"
#include "bench/payload.h"

namespace parley::bench {

// What became of the messages since the last start().
struct Counts {
  uint64_t published = 0;
  uint64_t deliveries = 0;       // each message once for each subscriber
  uint64_t delivered_bytes = 0;  // whole frames
  uint64_t lost = 0;             // a later message of the stream came, this one never did
  uint64_t missing = 0;          // neither it nor a later one came
  uint64_t doubled = 0;          // came again
  uint64_t disordered = 0;       // came, but behind a later one
  uint64_t misrouted = 0;        // came to who had not asked for it, or is nothing that was sent
};

// What: a stream is what one publisher sends to one channel, numbered from 1, so that order is
// defined; a subscriber of the channel has a cursor in each of the channel's streams. Owner: one
// Load. No clock: *now* is an argument.
class Ledger {
 public:
  struct Shape {
    uint64_t run = 0;
    uint32_t channels = 1;
    uint32_t subscribers = 1;          // of each channel
    uint32_t streams_per_channel = 1;  // stream s belongs to channel s % channels
  };
  explicit Ledger(const Shape& shape);

  uint32_t streams() const { return static_cast<uint32_t>(streams_.size()); }
  uint32_t channel_of(uint32_t stream) const { return stream % shape_.channels; }

  // Counts begin anew; what was published before is none of them, whenever it comes.
  void start();
  // One message more in the stream of this index: its number.
  uint64_t publish(uint32_t index);
  // What a subscriber of `channel` got. `subscriber` counts over all channels, one after the other.
  void deliver(uint32_t subscriber, ByteView message, uint64_t now_ns, size_t frame_bytes);

  // Messages that somebody has neither got nor lost.
  uint64_t in_flight() const { return published_ - settled_; }
  uint64_t in_flight(uint32_t stream) const {
    return streams_[stream].published - streams_[stream].settled;
  }
  uint64_t published() const { return counts_.published; }  // since start()
  Counts counts() const;
  const Histogram& latencies() const { return latencies_; }

 private:
  struct Stream {
    uint64_t published = 0;
    uint64_t settled = 0;           // messages that every subscriber has got or lost
    uint64_t before = 0;            // messages published before start()
    uint64_t first = 1;             // the message that waiting[0] is about
    std::vector<uint32_t> waiting;  // by message: subscribers that have yet to get it
    size_t done = 0;                // so many at the front of `waiting` are 0
  };
  struct Range {
    uint64_t from = 0, to = 0;  // to: exclusive
  };
  using Holes = std::vector<Range>;

  void settle(Stream& stream, uint64_t sequence);
  void skip(uint64_t cursor, Stream& stream, uint64_t from, uint64_t to);
  void take_late(uint64_t cursor, const Stream& stream, const Payload& payload, uint64_t now_ns,
                 size_t frame_bytes);

  Shape shape_;
  std::vector<Stream> streams_;
  std::vector<uint64_t> last_;                 // by cursor: the newest message
  std::unordered_map<uint64_t, Holes> holes_;  // by cursor: what never came
  uint64_t published_ = 0;
  uint64_t settled_ = 0;
  Counts counts_;
  Histogram latencies_;
};

}  // namespace parley::bench
