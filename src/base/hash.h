// Hashes. `stable_hash` is the same in every process and release (slots, storage); `SeededHash` is
// keyed by a random per-process seed, so that no peer can choose colliding keys (hash flooding).
#pragma once

#include <cstdint>
#include <string_view>

namespace parley {

struct HashKey {
  uint64_t k0 = 0, k1 = 0;
};

// SipHash-1-3 (Aumasson, Bernstein 2012) of `bytes` under `key`.
uint64_t siphash13(HashKey key, std::string_view bytes);

// Never changes: stored data is keyed by it.
inline uint64_t stable_hash(std::string_view bytes) {
  return siphash13({0x7061726c65790001ull, 0x736c6f7400000001ull}, bytes);
}

// The random key of this process, drawn once.
const HashKey& process_hash_key();

// Transparent hasher for unordered containers keyed by what peers choose.
struct SeededHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return siphash13(process_hash_key(), text); }
};

}  // namespace parley
