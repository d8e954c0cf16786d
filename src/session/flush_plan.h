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
  void lend(const Piece& piece) {
    pieces.push_back(piece);
    bytes += piece.bytes.size();
    if (!piece.bytes.empty()) room = sink->append(piece.bytes);
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

}  // namespace parley::session
