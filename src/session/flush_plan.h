// What one gather() lent, so that consumed() knows what the bytes were. One per shard: it lives
// from gather() to consumed().
#pragma once

#include <cstdint>
#include <vector>

#include "hub/subscription.h"
#include "session/encode_cache.h"
#include "session/transport_link.h"

namespace parley::session {

struct FlushPlan {
  enum class Kind : uint8_t { kRest, kUrgent, kOrdered, kRun, kSingle, kSkip };
  struct Piece {
    Kind kind;
    ByteView bytes;                             // what was lent; empty: a publication is skipped
    hub::Subscription* subscription = nullptr;  // kRun, kSingle, kSkip
    uint64_t last = 0;                          // ... offset of the newest publication in it
    const EncodeCache::Run* run = nullptr;      // kRun: a range of its bytes
    size_t frame = 0;                           // ... the first frame in it
    size_t frames = 0;                          // kRun, kOrdered: how many
  };
  // A subscription that was served before its turn, because a control frame waits for it.
  struct Early {
    hub::Subscription* subscription;
    uint64_t last;  // offset of the newest publication that was lent or was lent before
  };
  // A gap that came up while planning. It is told as soon as the adapter can be called.
  struct FoundGap {
    uint32_t handle;
    hub::Gap gap;
  };

  std::vector<Piece> pieces;
  std::vector<Early> early;
  std::vector<FoundGap> gaps;
  SliceSink* sink = nullptr;
  size_t bytes = 0;      // lent
  bool room = true;      // the sink takes more
  bool held = false;     // control frames wait for other publications: no data may overtake them
  bool blocked = false;  // ... and those cannot be lent yet

  void begin(SliceSink& to) {
    clear();
    sink = &to;
  }
  const Piece& lend(const Piece& piece) {
    bytes += piece.bytes.size();
    if (!piece.bytes.empty()) room = sink->append(piece.bytes);
    return pieces.emplace_back(piece);
  }
  void clear() {
    pieces.clear();
    early.clear();
    gaps.clear();
    sink = nullptr;
    bytes = 0;
    room = true;
    held = blocked = false;
  }
};

// The run that a reader was lent last. Most readers of a channel stand in one place: the next is
// lent the same without looking for it.
struct LastRun {
  FlushPlan::Piece piece{};  // ... `subscription` is that reader's
  const hub::LocalChannel* channel = nullptr;
  const Dialect* dialect = nullptr;
  const Framing* framing = nullptr;
  hub::Epoch epoch;       // the channel's
  uint64_t position = 0;  // where the reader stood
  uint64_t version = 0;   // of the cache
};

}  // namespace parley::session
