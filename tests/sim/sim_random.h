// Seeded chance, the same on every machine, and the hash of what happened.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>

namespace parley::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // 0..bound-1.
  uint64_t below(uint64_t bound) { return engine_() % bound; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// FNV-1a over what happened: two runs of a seed must give the same.
class Trace {
 public:
  void note(std::string_view what) {
    for (const char c : what) add(static_cast<uint8_t>(c));
  }
  void note(uint64_t number) {
    for (int i = 0; i < 8; ++i) add(static_cast<uint8_t>(number >> (8 * i)));
  }
  uint64_t hash() const { return hash_; }

 private:
  void add(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3ull; }
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

}  // namespace parley::sim
