#include "base/hash.h"

#include <bit>
#include <cstring>

namespace parley {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

// Fewer than eight bytes as a number, the first one lowest; in two pieces that may overlap.
uint64_t rest_of(const char* at, size_t size) {
  static_assert(std::endian::native == std::endian::little);
  if (size >= 4) {
    uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + size - 4, 4);
    return low | static_cast<uint64_t>(high) << (8 * (size - 4));
  }
  uint64_t rest = 0;
  for (size_t i = 0; i < size; ++i) rest |= uint64_t{static_cast<uint8_t>(at[i])} << (8 * i);
  return rest;
}

}  // namespace

uint64_t siphash13(HashKey key, std::string_view bytes) {
  SipState s{key.k0 ^ 0x736f6d6570736575ull, key.k1 ^ 0x646f72616e646f6dull,
             key.k0 ^ 0x6c7967656e657261ull, key.k1 ^ 0x7465646279746573ull};
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    s.v3 ^= word;
    s.round();
    s.v0 ^= word;
  }
  const uint64_t last = static_cast<uint64_t>(bytes.size()) << 56 | rest_of(at, left);
  s.v3 ^= last;
  s.round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace parley
