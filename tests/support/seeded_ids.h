// Ids that come again in the next run.
#pragma once

#include "base/random.h"

namespace parley::testing {

// SplitMix64 (Steele, Lea, Flood 2014).
class SeededIds final : public IdSource {
 public:
  explicit SeededIds(uint64_t seed = 1) : state_(seed) {}
  uint64_t next_u64() override {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15ull;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace parley::testing
