// How events become parts of a response body.
#pragma once

#include "session/transport_link.h"

namespace parley::transport::sse {

// Stateless: one chunk per event or group of events (RFC 9112 7.1).
class ChunkFraming final : public session::Framing {
 public:
  void frame(session::MessageType type, Buffer& out, size_t start) const override;
};

// For HTTP/1.0: the body is the events and ends with the connection.
class PlainFraming final : public session::Framing {
 public:
  void frame(session::MessageType, Buffer&, size_t) const override {}
};

}  // namespace parley::transport::sse
