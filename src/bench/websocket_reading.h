// How the dialects over WebSocket read.
#pragma once

#include <optional>

#include "bench/dialect.h"
#include "bench/wire.h"

namespace parley::bench {

// The end of the upgrade's answer; none while it is not there whole, 0 when it was refused.
inline std::optional<size_t> read_upgrade(ByteView bytes, Inbox& inbox) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == ByteView::npos) return std::nullopt;
  if (bytes.starts_with("HTTP/1.1 101")) return end + 4;
  inbox.refuse(bytes.substr(0, bytes.find("\r\n")));
  return 0;
}

// Calls on_text(message, frame bytes) for each text frame, answers pings, and returns the bytes
// taken.
template <class OnText>
size_t read_frames(ByteView bytes, Inbox& inbox, OnText on_text) {
  size_t taken = 0;
  while (const auto frame = parse_frame(bytes)) {
    const ByteView payload = bytes.substr(frame->payload, frame->end - frame->payload);
    if (frame->opcode == 1) {
      on_text(payload, frame->end);
    } else if (frame->opcode == 8) {
      inbox.refuse(payload.size() > 2 ? payload.substr(2) : "the server closed the connection");
    } else if (frame->opcode == 9) {
      append_client_frame(inbox.answer, payload, 10);
    }
    bytes.remove_prefix(frame->end);
    taken += frame->end;
  }
  return taken;
}

}  // namespace parley::bench
