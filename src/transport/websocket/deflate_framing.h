// How messages become compressed WebSocket frames.
#pragma once

#include "codec/websocket/deflater.h"
#include "transport/websocket/websocket_framing.h"

namespace parley::transport::websocket {

struct CompressionOptions {
  int level = 1;           // 1 (fast) to 9 (small)
  size_t min_bytes = 128;  // of a message; smaller ones are sent as they are
  // ... larger ones too: compressing a message takes a part of the shard's turn.
  size_t max_bytes = 256 * 1024;
};

// What: frames each message by itself, compressed (RFC 7692) where that makes it smaller, plain
// otherwise. Owner: Compression. Shard: its own.
class DeflateFraming final : public session::Framing {
 public:
  // Borrows `paused`: while it is true, every message is plain.
  DeflateFraming(const CompressionOptions& options, int window_bits, const bool& paused);
  void frame(session::MessageType type, Buffer& out, size_t start) const override;

 private:
  bool compress(ByteView message) const;

  CompressionOptions options_;
  const bool& paused_;
  WebSocketFraming plain_;
  // What a message leaves behind in these never shows in the next one.
  mutable codec::websocket::Deflater deflater_;
  mutable Buffer payload_;
};

}  // namespace parley::transport::websocket
