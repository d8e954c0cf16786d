// Is this text one JSON value? For bytes that are passed on unread.
#pragma once

#include "base/bytes.h"
#include "codec/json/scan.h"

namespace parley::codec::json {

// Well-formed UTF-8 by Unicode table 3-7 (no surrogates, nothing overlong).
bool is_utf8(ByteView bytes);

// True when `text` is exactly one JSON value of RFC 8259, with white space around it at most, in
// UTF-8, and no more than `max_depth` (at most kMaxDepth) containers deep. Keeps no state and
// allocates nothing. Numbers may be of any size and strings may hold lone surrogate escapes: the
// grammar allows both, and here nobody converts them.
bool is_valid(ByteView text, uint32_t max_depth = kMaxDepth);

}  // namespace parley::codec::json
