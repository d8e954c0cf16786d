// Messages out of compressed payloads (RFC 7692 7.2.2).
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"

struct z_stream_s;

namespace parley::codec::websocket {

enum class InflateFault : uint8_t { kInvalid, kTooBig };

// What: inflates whole messages, each by itself: none can refer to another. Owner: who accepts
// connections, one for all of them. Shard: its own. Holds about 40 KB from its first message on.
class Inflater {
 public:
  Inflater();
  ~Inflater();

  // Appends the message to `out`, which grows with what is produced: at most `limit` bytes and one
  // more. After a fault `out` has what was produced until then.
  Result<void, InflateFault> inflate(ByteView payload, size_t limit, Buffer& out);

 private:
  enum class Step : uint8_t { kMore, kEnded, kInvalid, kTooBig };
  struct Close {
    void operator()(z_stream_s* stream) const;
  };

  void begin();
  Step feed(ByteView input, size_t most, Buffer& out);

  std::unique_ptr<z_stream_s, Close> stream_;  // null before the first message
};

// How compressed messages are taken. Owned by who accepts connections; outlives them.
struct Inflation {
  Inflater& inflater;
  size_t message_bytes;  // of a message when it is inflated
};

}  // namespace parley::codec::websocket
