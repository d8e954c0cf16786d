#include "bench/ledger.h"

#include <algorithm>

namespace parley::bench {
namespace {

// So many settled messages are worth moving the others.
constexpr size_t kForgetAt = 4096;

}  // namespace

Ledger::Ledger(const Shape& shape)
    : shape_(shape),
      streams_(size_t{shape.channels} * shape.streams_per_channel),
      last_(size_t{shape.channels} * shape.subscribers * shape.streams_per_channel) {}

void Ledger::start() {
  counts_ = {};
  latencies_.clear();
  for (Stream& stream : streams_) {
    stream.first = stream.published + 1;
    stream.before = stream.published;
    stream.settled = stream.published;
    stream.waiting.clear();
    stream.done = 0;
  }
  settled_ = published_;
}

uint64_t Ledger::publish(uint32_t index) {
  Stream& stream = streams_[index];
  stream.waiting.push_back(shape_.subscribers);
  ++published_;
  ++counts_.published;
  return ++stream.published;
}

void Ledger::settle(Stream& stream, uint64_t sequence) {
  if (--stream.waiting[sequence - stream.first] > 0) return;
  ++stream.settled;
  ++settled_;
  while (stream.done < stream.waiting.size() && stream.waiting[stream.done] == 0) ++stream.done;
  if (stream.done < kForgetAt || stream.done < stream.waiting.size() / 2) return;
  stream.waiting.erase(stream.waiting.begin(),
                       stream.waiting.begin() + static_cast<ptrdiff_t>(stream.done));
  stream.first += stream.done;
  stream.done = 0;
}

void Ledger::deliver(uint32_t subscriber, ByteView message, uint64_t now_ns, size_t frame_bytes) {
  const uint32_t channel = subscriber / shape_.subscribers;
  Payload payload;
  if (!Payload::find(message, payload) || payload.run != shape_.run ||
      payload.stream >= streams_.size() ||
      channel_of(static_cast<uint32_t>(payload.stream)) != channel || payload.sequence == 0 ||
      payload.sequence > streams_[payload.stream].published) {
    ++counts_.misrouted;
    return;
  }
  const uint64_t cursor =
      uint64_t{subscriber} * shape_.streams_per_channel + payload.stream / shape_.channels;
  Stream& stream = streams_[payload.stream];
  uint64_t& last = last_[cursor];
  if (payload.sequence <= last) return take_late(cursor, stream, payload, now_ns, frame_bytes);
  if (payload.sequence > last + 1) skip(cursor, stream, last + 1, payload.sequence);
  last = payload.sequence;
  if (payload.sequence <= stream.before) return;
  ++counts_.deliveries;
  counts_.delivered_bytes += frame_bytes;
  latencies_.add(now_ns - payload.sent_ns);
  settle(stream, payload.sequence);
}

void Ledger::skip(uint64_t cursor, Stream& stream, uint64_t from, uint64_t to) {
  from = std::max(from, stream.before + 1);
  if (from >= to) return;
  holes_[cursor].push_back({from, to});
  counts_.lost += to - from;
  for (uint64_t sequence = from; sequence < to; ++sequence) settle(stream, sequence);
}

void Ledger::take_late(uint64_t cursor, const Stream& stream, const Payload& payload,
                       uint64_t now_ns, size_t frame_bytes) {
  const uint64_t sequence = payload.sequence;
  if (sequence <= stream.before) return;
  const auto found = holes_.find(cursor);
  if (found != holes_.end()) {
    Holes& holes = found->second;
    const auto hole = std::ranges::find_if(
        holes, [&](const Range& one) { return one.from <= sequence && sequence < one.to; });
    if (hole != holes.end()) {
      const Range behind{sequence + 1, hole->to};
      hole->to = sequence;
      if (hole->from == hole->to) holes.erase(hole);
      if (behind.from < behind.to) holes.push_back(behind);
      --counts_.lost;
      ++counts_.disordered;
      ++counts_.deliveries;
      counts_.delivered_bytes += frame_bytes;
      latencies_.add(now_ns - payload.sent_ns);
      return;
    }
  }
  ++counts_.doubled;
}

Counts Ledger::counts() const {
  Counts counts = counts_;
  counts.missing = counts.published * shape_.subscribers - counts.deliveries - counts.lost;
  return counts;
}

}  // namespace parley::bench
