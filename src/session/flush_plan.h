// What one gather() lent, so that consumed() knows what the bytes were. One per shard: it lives
// from gather() to consumed().
#pragma once

#include <cstdint>
#include <vector>

#include "hub/subscription.h"
#include "session/encode_cache.h"

namespace parley::session {

struct FlushPlan {
  enum class Kind : uint8_t { kRest, kUrgent, kOrdered, kRun, kSingle };
  struct Piece {
    Kind kind;
    size_t size;
    hub::Subscription* subscription = nullptr;  // kRun, kSingle
    const EncodeCache::Run* run = nullptr;      // kRun: a range of its bytes
    size_t begin = 0;
    uint64_t last = 0;  // kRun, kSingle: offset of the newest publication in it
    ByteView bytes;     // what was lent
  };
  std::vector<Piece> pieces;
  std::vector<hub::Subscription*> subscriptions;  // each subscription is planned once

  void clear() {
    pieces.clear();
    subscriptions.clear();
  }
};

}  // namespace parley::session
