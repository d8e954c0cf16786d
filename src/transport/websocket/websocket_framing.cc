#include "transport/websocket/websocket_framing.h"

#include "codec/websocket/encoder.h"

namespace parley::transport::websocket {

void WebSocketFraming::frame(session::MessageType type, Buffer& out, size_t start) const {
  using codec::websocket::Opcode;
  const Opcode opcode = type == session::MessageType::kText ? Opcode::kText : Opcode::kBinary;
  out.insert(start, codec::websocket::frame_header(opcode, out.size() - start).view());
}

}  // namespace parley::transport::websocket
