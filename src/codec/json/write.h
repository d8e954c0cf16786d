// JSON out: appends to a Buffer.
#pragma once

#include "base/bytes.h"

namespace parley::codec::json {

// Appends `text` as a JSON string, quotes included. Escaped is what RFC 8259 asks for and nothing
// more. Bytes that are not UTF-8 become U+FFFD, one for each broken sequence.
void append_string(Buffer& out, std::string_view text);

// Appends a JSON value that is known to be valid, without its line breaks: a valid value has them
// between tokens only. For wire formats where a line break ends a message.
void append_compact(Buffer& out, ByteView json);

// Whether append_string() would add nothing but the quotes.
bool is_plain(std::string_view text);
// Whether append_compact() would leave nothing out.
bool is_compact(ByteView json);

void append_int(Buffer& out, int64_t value);

}  // namespace parley::codec::json
