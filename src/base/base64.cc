#include "base/base64.h"

#include <array>

namespace parley {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrlAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> reverse_of(const char* alphabet) {
  std::array<int8_t, 256> table{};
  table.fill(-1);
  for (int i = 0; i < 64; ++i) table[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  return table;
}
constexpr std::array<int8_t, 256> kReverse = reverse_of(kAlphabet);
constexpr std::array<int8_t, 256> kUrlReverse = reverse_of(kUrlAlphabet);

}  // namespace

void append_base64(Buffer& out, ByteView bytes) {
  size_t i = 0;
  const auto byte = [&](size_t at) {
    return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at]));
  };
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t word = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out += kAlphabet[(word >> shift) & 63];
  }
  if (const size_t rest = bytes.size() - i; rest != 0) {
    const uint32_t word = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0);
    out += kAlphabet[word >> 18];
    out += kAlphabet[(word >> 12) & 63];
    out += rest == 2 ? kAlphabet[(word >> 6) & 63] : '=';
    out += '=';
  }
}

std::optional<Buffer> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  Buffer out;
  out.reserve(text.size() / 4 * 3);
  uint32_t word = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool pad = i + padding >= text.size();
    const int value = pad ? 0 : kReverse[static_cast<uint8_t>(text[i])];
    if (value < 0) return std::nullopt;
    word = word << 6 | static_cast<uint32_t>(value);
    if (i % 4 != 3) continue;
    out += static_cast<char>(word >> 16);
    out += static_cast<char>(word >> 8);
    out += static_cast<char>(word);
    word = 0;
  }
  for (size_t i = 0; i < padding; ++i) {
    if (out.back() != 0) return std::nullopt;
    out.pop_back();
  }
  return out;
}

void append_base64url(Buffer& out, ByteView bytes) {
  uint32_t word = 0;
  int bits = 0;
  for (const char c : bytes) {
    word = word << 8 | static_cast<uint8_t>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kUrlAlphabet[(word >> (bits - 6)) & 63];
  }
  if (bits != 0) out += kUrlAlphabet[(word << (6 - bits)) & 63];
}

std::optional<Buffer> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Buffer out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const int8_t value = kUrlReverse[static_cast<uint8_t>(c)];
    if (value < 0) return std::nullopt;
    word = word << 6 | static_cast<uint8_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(word >> bits);
  }
  if ((word & ((1u << bits) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace parley
