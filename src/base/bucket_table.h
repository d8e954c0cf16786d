// Token buckets of many peers in a table that does not grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/token_bucket.h"

namespace parley {

// What: a bucket for each key, in sets of eight places. Where a set is full, the bucket that is
// nearest to full is forgotten: its peer loses and gains least by beginning anew. So memory and
// work are the same whoever comes, and who takes most is remembered longest. Keys must be hashed
// with a secret, so that nobody can choose a set. Nothing is allocated before the first take().
class BucketTable {
 public:
  // `places`: a power of two, at least eight.
  explicit BucketTable(size_t places) : places_(places) {}

  bool take(uint64_t key, const Rate& rate, Time now) { return find(key).take(rate, now); }
  Duration wait(uint64_t key, const Rate& rate, Time now) { return find(key).wait(rate, now); }

 private:
  static constexpr size_t kSet = 8;
  struct Place {
    uint64_t key = 0;
    TokenBucket bucket;
  };

  TokenBucket& find(uint64_t key);

  size_t places_;
  std::vector<Place> table_;
};

}  // namespace parley
