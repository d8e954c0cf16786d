#include "codec/fossil/digits.h"

#include <array>

namespace parley::codec::fossil {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<uint8_t>(kDigits[i])] = static_cast<uint8_t>(i);
  return values;
}();

}  // namespace

size_t digits(uint32_t value) {
  size_t count = 1;
  while (value >>= 6) ++count;
  return count;
}

void append_number(Buffer& out, uint32_t value) {
  for (size_t left = digits(value); left-- > 0;) out.push_back(kDigits[(value >> (6 * left)) & 63]);
}

bool take_number(ByteView& text, uint32_t& out) {
  uint64_t value = 0;
  size_t length = 0;
  for (; length < text.size(); ++length) {
    const uint8_t digit = kValues[static_cast<uint8_t>(text[length])];
    if (digit == kNoDigit) break;
    value = value << 6 | digit;
    if (value > UINT32_MAX) return false;
  }
  text.remove_prefix(length);
  out = static_cast<uint32_t>(value);
  return length > 0;
}

uint32_t checksum(ByteView bytes) {
  uint32_t sum = 0;
  const auto word = [&](size_t at, size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (24 - 8 * i);
  };
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4)
    sum += word(at, 0) | word(at, 1) | word(at, 2) | word(at, 3);
  for (size_t i = 0; at + i < bytes.size(); ++i) sum += word(at, i);
  return sum;
}

}  // namespace parley::codec::fossil
