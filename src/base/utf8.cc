#include "base/utf8.h"

#include <cstring>

namespace parley {
namespace {

constexpr uint8_t kFailed = 0xff;

constexpr uint64_t kHighBits = 0x8080808080808080ull;

uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The end of the run of ASCII that starts at `at`, found 32 and eight bytes at a time.
const char* skip_ascii(const char* at, const char* end) {
  const char* const begin = at;
  for (; end - at >= 32; at += 32)
    if ((word_at(at) | word_at(at + 8) | word_at(at + 16) | word_at(at + 24)) & kHighBits) break;
  for (; end - at >= 8; at += 8)
    if (word_at(at) & kHighBits) break;
  // What is left, and some that was looked at before.
  if (end - at < 8 && end - begin >= 8 && !(word_at(end - 8) & kHighBits)) return end;
  while (at < end && static_cast<uint8_t>(*at) < 0x80) ++at;
  return at;
}

}  // namespace

bool Utf8Stream::fail() {
  missing_ = kFailed;
  return false;
}

bool Utf8Stream::begin_character(uint8_t lead) {
  if (lead < 0xc2 || lead > 0xf4) return fail();
  missing_ = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  // Four leads narrow their second byte: overlong forms, surrogates, and the end of Unicode.
  low_ = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  high_ = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  return true;
}

bool Utf8Stream::feed(ByteView bytes) {
  if (missing_ == kFailed) return false;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    if (missing_ == 0) {
      at = skip_ascii(at, end);
      if (at == end) return true;
      if (!begin_character(static_cast<uint8_t>(*at++))) return false;
      continue;
    }
    const auto byte = static_cast<uint8_t>(*at++);
    if (byte < low_ || byte > high_) return fail();
    low_ = 0x80;
    high_ = 0xbf;
    --missing_;
  }
  return true;
}

bool is_valid_utf8(ByteView bytes) {
  Utf8Stream stream;
  return stream.feed(bytes) && stream.complete();
}

std::string_view truncate_utf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace parley
