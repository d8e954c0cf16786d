// Cuts bytes into lines that end with CR LF, keeping only a line that is not complete yet.
#pragma once

#include <string>

#include "base/bytes.h"

namespace parley::codec::http1 {

// Owned by a decoder; each byte is looked at once, however the input is cut.
class LineReader {
 public:
  enum class Result { kNeedMore, kLine, kTooLong, kBareLineFeed };

  // Takes a line of at most `limit` bytes (its CR LF included) off `in`. With kLine, `line` is the
  // line without CR LF, valid until the next call and while `in`'s bytes are.
  Result take(ByteView& in, size_t limit, ByteView& line);

  // Frees the memory; only between lines.
  void release() { partial_ = {}; }

 private:
  std::string partial_;
  bool taken_ = false;  // partial_ holds the line that the last call returned
};

}  // namespace parley::codec::http1
