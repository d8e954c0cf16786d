// How messages become WebSocket frames.
#pragma once

#include "session/transport_link.h"

namespace parley::transport::websocket {

// Stateless: puts an unmasked header in front (RFC 6455 5.2).
class WebSocketFraming final : public session::Framing {
 public:
  void frame(session::MessageType type, Buffer& out, size_t start) const override;
};

}  // namespace parley::transport::websocket
