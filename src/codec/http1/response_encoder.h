// Responses out: head, chunks. Appends to a buffer and never flushes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace parley::codec::http1 {

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// How the reader learns where the body ends (RFC 9112 section 6). Only this decides about
// Content-Length and Transfer-Encoding.
struct ResponseFraming {
  enum class Kind : uint8_t {
    kNone,        // neither header: 1xx, 204, 304, a successful upgrade
    kLength,      // Content-Length: `length` (for HEAD: that of the body that is not sent)
    kChunked,     // not to an HTTP/1.0 client
    kUntilClose,  // neither header; implies `close`
  };
  Kind kind = Kind::kLength;
  uint64_t length = 0;
  bool close = false;  // adds "Connection: close"
};

// The standard phrase, "" for a status without one.
std::string_view reason_phrase(int status);

// Whether a response with that status has a body at all: not 1xx, 204 or 304.
bool status_has_body(int status);

// Appends status line, headers and the blank line. Refuses (false, nothing appended) a name that is
// no token, a value with CR, LF, NUL or another control character but HTAB, Content-Length and
// Transfer-Encoding in `headers`, and a status outside 100..999: a value built from a peer's input
// must not become a second response, and a repaired one would say what nobody meant. The caller
// answers 500 instead. When the status has no body, `framing.kind` is taken as kNone.
[[nodiscard]] bool encode_response_head(int status, std::span<const HeaderView> headers,
                                        ResponseFraming framing, Buffer& out);

// One chunk. An empty one is skipped, since it would end the body.
void encode_chunk(ByteView data, Buffer& out);

// The end of a chunked body, without trailers.
void encode_last_chunk(Buffer& out);

}  // namespace parley::codec::http1
