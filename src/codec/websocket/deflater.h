// Compressed payloads out of messages (RFC 7692 7.2.1).
#pragma once

#include <memory>

#include "base/bytes.h"

struct z_stream_s;

namespace parley::codec::websocket {

// What: compresses whole messages, each by itself, so that a result can be sent to anybody who
// agreed to this window or a larger one. Owner: who frames messages. Shard: its own. Holds up to
// 200 KB from its first message on.
class Deflater {
 public:
  // `level` from 1 (fast) to 9 (small); `window_bits` from 9 to 15.
  Deflater(int level, int window_bits);
  ~Deflater();

  // Appends the compressed payload if it is smaller than the message; otherwise false, and nothing
  // is appended.
  bool deflate(ByteView message, Buffer& out);

 private:
  struct Close {
    void operator()(z_stream_s* stream) const;
  };
  void begin();

  int level_;
  int window_bits_;
  std::unique_ptr<z_stream_s, Close> stream_;  // null before the first message
};

}  // namespace parley::codec::websocket
