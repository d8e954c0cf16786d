// Server-sent events out (WHATWG HTML 9.2). Everything appends and never flushes.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace parley::codec::sse {

// One block of the stream. Without data the client takes over id and retry but sees no event.
struct Event {
  std::optional<std::string_view> event = {};  // its type; absent means "message"
  std::optional<std::string_view> id = {};
  std::optional<ByteView> data = {};  // text: the format has no way to carry other bytes
  std::optional<uint32_t> retry_ms = {};
};

// False, and nothing appended, when the type or id contains CR, LF or NUL: those would inject lines
// or be ignored by the client. CR, LF and CRLF in data all reach the client as LF.
[[nodiscard]] bool encode_event(const Event& event, Buffer& out);

// A comment, which clients ignore: keeps proxies from closing an idle stream. CR and LF become
// spaces.
void encode_comment(std::string_view text, Buffer& out);

}  // namespace parley::codec::sse
