// How messages become WebSocket frames.
#pragma once

#include "codec/websocket/protocol.h"
#include "session/transport_link.h"

namespace parley::transport::websocket {

constexpr codec::websocket::Opcode opcode_of(session::MessageType type) {
  using codec::websocket::Opcode;
  return type == session::MessageType::kText ? Opcode::kText : Opcode::kBinary;
}

// Stateless: puts an unmasked header in front (RFC 6455 5.2).
class WebSocketFraming final : public session::Framing {
 public:
  void frame(session::MessageType type, Buffer& out, size_t start) const override;
  void append(session::MessageType type, Buffer& out, ByteView message) const override;
};

}  // namespace parley::transport::websocket
