#include "codec/websocket/mask.h"

#include <cstdint>
#include <cstring>

namespace parley::codec::websocket {

void apply_mask(std::span<char> payload, MaskKey key, size_t offset) {
  std::array<char, 8> rotated;
  for (size_t i = 0; i < rotated.size(); ++i) rotated[i] = key[(offset + i) % key.size()];
  uint64_t wide_key;
  std::memcpy(&wide_key, rotated.data(), sizeof wide_key);

  char* at = payload.data();
  size_t left = payload.size();
  for (; left >= sizeof wide_key; at += sizeof wide_key, left -= sizeof wide_key) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= wide_key;
    std::memcpy(at, &word, sizeof word);
  }
  for (size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ rotated[i]);
}

}  // namespace parley::codec::websocket
