// The grammar of RFC 8259 as functions over a pointer: each takes where a token should begin and
// returns the byte behind it, or nullptr when the text is not JSON there. Nothing recurses and
// nothing allocates. UTF-8 is not looked at here; see is_utf8().
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace parley::codec::json {

// Deepest nesting of objects and arrays that the scanner can follow (its stack is one 64-bit word).
inline constexpr uint32_t kMaxDepth = 64;

inline const char* skip_space(const char* at, const char* end) {
  while (at != end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
  return at;
}

// `at` is the opening quote. Sets `escaped` when the string holds a backslash. A lone surrogate
// escape is grammatical and passes here; unescape() refuses it.
const char* scan_string(const char* at, const char* end, bool& escaped);

const char* scan_number(const char* at, const char* end);

// Any value behind optional white space, with at most `max_depth` containers inside one another
// (max_depth <= kMaxDepth).
const char* scan_value(const char* at, const char* end, uint32_t max_depth);

// The first byte in [at, end) that a JSON string cannot hold as it is: quote, backslash or a
// control character.
const char* find_special(const char* at, const char* end);

}  // namespace parley::codec::json
