// Token buckets that all shards take from, in a table that does not grow.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/token_bucket.h"

namespace parley::io {

// What: as BucketTable, for all threads at once and without a lock: a bucket is one word, a part of
// its key and the moment at which it will be full again, and is replaced by one compare-and-swap. A
// set of eight is one cache line. Keys must be hashed with a secret. Two keys of a set share a
// bucket once in 16 million pairs. Owner: NodeQuotas. Shard: any. Failure: none; where a set is
// full, the bucket nearest to full is forgotten. One rate for all, of at most a million a second.
class SharedBuckets {
 public:
  // `places`: a power of two, at least eight. None where the rate is not limited.
  SharedBuckets(const Rate& rate, size_t places);

  bool limited() const { return rate_.limited(); }
  // False: there is none, and nothing was taken.
  bool take(uint64_t key, Time now);
  // Until there is a token.
  Duration wait(uint64_t key, Time now) const;

 private:
  static constexpr size_t kSet = 8;
  using Word = uint64_t;
  struct alignas(kSet * sizeof(Word)) Set {
    std::atomic<Word> places[kSet];
  };

  size_t set_of(uint64_t key) const { return key & (sets_.size() - 1); }
  // How long before it is full; nothing of a moment that cannot be.
  uint64_t ticks_left(Word word, uint64_t now) const;
  uint64_t wait_ticks(uint64_t left) const { return left > spare_ ? left - spare_ : 0; }

  Rate rate_;
  uint64_t interval_ = 0;  // in ticks, as all below
  uint64_t spare_ = 0;     // so far from full there is still a token
  uint64_t latest_ = 0;    // farther from full no bucket can be
  std::vector<Set> sets_;
};

}  // namespace parley::io
