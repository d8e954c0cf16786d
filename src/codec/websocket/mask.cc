#include "codec/websocket/mask.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace parley::codec::websocket {
namespace {

void apply_word(char* at, uint64_t key) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  word ^= key;
  std::memcpy(at, &word, sizeof word);
}

}  // namespace

void apply_mask(std::span<char> payload, MaskKey key, size_t offset) {
  static_assert(std::endian::native == std::endian::little);
  constexpr size_t kWord = sizeof(uint64_t);
  uint32_t rotated;
  std::memcpy(&rotated, key.data(), sizeof rotated);
  rotated = std::rotr(rotated, static_cast<int>(offset % key.size() * 8));
  const uint64_t wide_key = static_cast<uint64_t>(rotated) << 32 | rotated;

  char* at = payload.data();
  size_t left = payload.size();
  for (; left >= 4 * kWord; at += 4 * kWord, left -= 4 * kWord) {
    apply_word(at, wide_key);
    apply_word(at + kWord, wide_key);
    apply_word(at + 2 * kWord, wide_key);
    apply_word(at + 3 * kWord, wide_key);
  }
  for (; left >= kWord; at += kWord, left -= kWord) apply_word(at, wide_key);
  if (left >= sizeof rotated) {
    uint32_t half;
    std::memcpy(&half, at, sizeof half);
    half ^= rotated;
    std::memcpy(at, &half, sizeof half);
    at += sizeof half;
    left -= sizeof half;
  }
  for (uint32_t rest = rotated; left > 0; --left, rest >>= 8, ++at)
    *at = static_cast<char>(*at ^ static_cast<char>(rest));
}

}  // namespace parley::codec::websocket
