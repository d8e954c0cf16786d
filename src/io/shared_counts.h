// How many there are of each, counted by all shards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace parley::io {

// What: a number per key, for all threads at once; a key that is at 0 is not kept, so that there
// are no more than connections. Asked when connections begin and end, never for a message: a lock
// for a 64th of the keys, held for one look-up. Keys must be hashed with a secret. Owner:
// NodeQuotas. Shard: any. Failure: none.
class SharedCounts {
 public:
  // One more, unless there are `limit`.
  bool take(uint64_t key, uint32_t limit);
  // One less, of a key that was taken.
  void give_back(uint64_t key);
  // Keys that are not at 0.
  size_t size() const;

 private:
  struct AsItIs {
    size_t operator()(uint64_t key) const { return key; }
  };
  struct alignas(64) Stripe {
    mutable std::mutex mutex;
    std::unordered_map<uint64_t, uint32_t, AsItIs> counts;
  };

  Stripe& stripe_of(uint64_t key) { return stripes_[key >> 58]; }

  std::array<Stripe, 64> stripes_;
};

}  // namespace parley::io
