// Shard identity: which shard the running thread is, and a check that an object is used only at
// home.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace parley {

using ShardId = uint16_t;
inline constexpr ShardId kNoShard = 0xffff;

namespace affinity {
// Shard: any. The shard whose turn the current thread runs, or kNoShard outside of one. The
// simulator sets it per virtual shard.
ShardId current();
void set_current(ShardId shard);
}  // namespace affinity

// A member that remembers its home shard; check() aborts when called from another one. Costs
// nothing in release.
class HomeShard {
 public:
  explicit HomeShard(ShardId shard) : shard_(shard) {}
  ShardId id() const { return shard_; }
  void check() const {
#ifndef NDEBUG
    CHECK(affinity::current() == kNoShard || affinity::current() == shard_);
#endif
  }

 private:
  ShardId shard_;
};

}  // namespace parley
