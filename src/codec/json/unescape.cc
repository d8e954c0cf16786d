#include "codec/json/unescape.h"

#include <cstring>

namespace parley::codec::json {
namespace {

uint32_t hex4(const char* at) {
  uint32_t value = 0;
  std::from_chars(at, at + 4, value, 16);
  return value;
}

bool is_high_surrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

char* put_utf8(char* out, uint32_t code) {
  const auto put = [&out](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
  return out;
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// `at` is the first hex digit of a \u escape; moved behind the escape, or behind the pair.
bool read_code(const char*& at, const char* end, uint32_t& code) {
  code = hex4(at);
  at += 4;
  if (is_low_surrogate(code)) return false;
  if (!is_high_surrogate(code)) return true;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
  const uint32_t low = hex4(at + 2);
  if (!is_low_surrogate(low)) return false;
  at += 6;
  code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

}  // namespace

std::optional<size_t> unescape(ByteView raw, char* out) {
  char* const begin = out;
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    const auto left = static_cast<size_t>(end - at);
    const auto* backslash = static_cast<const char*>(std::memchr(at, '\\', left));
    const size_t plain = backslash == nullptr ? left : static_cast<size_t>(backslash - at);
    std::memcpy(out, at, plain);
    out += plain;
    if (backslash == nullptr) break;
    at = backslash + 2;
    if (backslash[1] != 'u') {
      *out++ = simple_escape(backslash[1]);
      continue;
    }
    uint32_t code = 0;
    if (!read_code(at, end, code)) return std::nullopt;
    out = put_utf8(out, code);
  }
  return static_cast<size_t>(out - begin);
}

}  // namespace parley::codec::json
