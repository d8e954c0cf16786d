// UTF-8 validity (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "base/bytes.h"

namespace parley {

// Validates text that arrives in pieces and fails at the first byte that no valid text could
// contain there. A value of three bytes, owned by whoever decodes the text. After a failure it
// stays failed.
class Utf8Stream {
 public:
  // False when the text up to the end of `bytes` cannot be the beginning of valid UTF-8.
  bool feed(ByteView bytes);
  // True when the text so far does not end inside a character.
  bool complete() const { return missing_ == 0; }

 private:
  bool begin_character(uint8_t lead);
  bool fail();

  uint8_t missing_ = 0;  // continuation bytes still due; kFailed after a failure
  uint8_t low_ = 0;      // the range that the next one must be in
  uint8_t high_ = 0;
};

bool is_valid_utf8(ByteView bytes);

// The longest prefix of at most `max_bytes` that does not cut a character of the valid `text`.
std::string_view truncate_utf8(std::string_view text, size_t max_bytes);

}  // namespace parley
