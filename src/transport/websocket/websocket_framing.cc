#include "transport/websocket/websocket_framing.h"

#include "codec/websocket/encoder.h"

namespace parley::transport::websocket {

void WebSocketFraming::frame(session::MessageType type, Buffer& out, size_t start) const {
  out.insert(start, codec::websocket::frame_header(opcode_of(type), out.size() - start).view());
}

}  // namespace parley::transport::websocket
