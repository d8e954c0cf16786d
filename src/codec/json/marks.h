// Finds the bytes that end a run which is copied or passed over unseen, many bytes at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace parley::codec::json {

inline constexpr uint64_t kEachByte = 0x0101010101010101u;
inline constexpr uint64_t kHighBits = kEachByte << 7;

// What a JSON string cannot hold as it is: quote, backslash or a control character.
struct Special {
  static bool is(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }
  // Marks with its top bit each of eight bytes that is one. Exact up to the first one found (the
  // lowest); bytes behind it may be marked wrongly.
  static uint64_t in(uint64_t word) {
    const uint64_t quote = word ^ (kEachByte * '"');
    const uint64_t backslash = word ^ (kEachByte * '\\');
    return (((word - kEachByte * 0x20) & ~word) | ((quote - kEachByte) & ~quote) |
            ((backslash - kEachByte) & ~backslash)) &
           kHighBits;
  }
#ifdef __SSE2__
  static __m128i in(__m128i block) {
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(block, last_control), last_control);
    return _mm_or_si128(_mm_or_si128(quote, backslash), control);
  }
#endif
};

// The same, or not ASCII.
struct Unusual {
  static bool is(char c) { return Special::is(c) || static_cast<signed char>(c) < 0; }
  static uint64_t in(uint64_t word) { return Special::in(word) | (word & kHighBits); }
#ifdef __SSE2__
  static __m128i in(__m128i block) { return _mm_or_si128(Special::in(block), block); }
#endif
};

// How many of the eight bytes stand before the first one marked.
template <class Mark>
int before_mark(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return std::countr_zero(Mark::in(word)) / 8;
}

#ifdef __SSE2__
// ... of 16: their number when there is none.
template <class Mark>
int before_mark_of_16(const char* at) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return std::countr_zero(0x10000u | static_cast<uint32_t>(_mm_movemask_epi8(Mark::in(block))));
}
#endif

// The first byte of [at, end) that is one; `end` when there is none. Fewer bytes than are looked at
// together are looked at with some that were seen before them.
template <class Mark>
const char* find_marked(const char* at, const char* end) {
  const char* const begin = at;
#ifdef __SSE2__
  for (; end - at >= 16; at += 16)
    if (const int n = before_mark_of_16<Mark>(at); n != 16) return at + n;
  if (end - begin >= 16) return end - 16 + before_mark_of_16<Mark>(end - 16);
#endif
  for (; end - at >= 8; at += 8)
    if (const int n = before_mark<Mark>(at); n != 8) return at + n;
  if (end - begin >= 8) return end - 8 + before_mark<Mark>(end - 8);
  while (at != end && !Mark::is(*at)) ++at;
  return at;
}

}  // namespace parley::codec::json
