#include "transport/websocket/websocket_framing.h"

#include <cstring>

#include "codec/websocket/encoder.h"

namespace parley::transport::websocket {

void WebSocketFraming::frame(session::MessageType type, Buffer& out, size_t start) const {
  const size_t size = out.size() - start;
  const auto header = codec::websocket::frame_header(opcode_of(type), size);
  const ByteView bytes = header.view();
  out.append(bytes);
  char* const front = out.data() + start;
  std::memmove(front + bytes.size(), front, size);
  std::memcpy(front, bytes.data(), bytes.size());
}

void WebSocketFraming::append(session::MessageType type, Buffer& out, ByteView message) const {
  codec::websocket::append_frame(out, opcode_of(type), message);
}

}  // namespace parley::transport::websocket
