// Frames out (RFC 6455 5). Everything appends and never flushes.
#pragma once

#include "codec/websocket/frame_header.h"

namespace parley::codec::websocket {

// The header by itself, to send in front of a payload that is already encoded and shared.
// `compressed`: it begins a message whose payload is compressed (RFC 7692).
FrameHeaderBytes frame_header(Opcode opcode, uint64_t payload_size, bool fin = true,
                              bool compressed = false);

void append_frame_header(Buffer& out, Opcode opcode, uint64_t payload_size, bool fin = true);
// The payload of a control frame is at most 125 bytes: that is for the caller to see to.
void append_frame(Buffer& out, Opcode opcode, ByteView payload, bool fin = true);

// A close frame. `reason` is cut to 123 bytes between characters, and left out when it is not valid
// UTF-8. A code that may not be sent (1005, 1006, unknown ones) gives a close frame without a body.
void append_close(Buffer& out, uint16_t code, std::string_view reason = {});
void append_close(Buffer& out, CloseCode code, std::string_view reason = {});

// The client's side, for our own tools and tests. The key is sent with its high byte first.
void append_masked_frame(Buffer& out, Opcode opcode, ByteView payload, uint32_t mask,
                         bool fin = true, bool compressed = false);

}  // namespace parley::codec::websocket
