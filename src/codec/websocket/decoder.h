// Frames in, messages out.
#pragma once

#include <memory>
#include <span>

#include "base/utf8.h"
#include "codec/websocket/frame_header.h"
#include "codec/websocket/inflater.h"

namespace parley::codec::websocket {

// Receives what a Decoder finds. Views are valid during the call. It may call the decoder's pause()
// but must not destroy the decoder nor feed it.
class MessageSink {
 public:
  virtual void on_message(bool text, ByteView payload) = 0;
  virtual void on_ping(ByteView payload) = 0;
  virtual void on_pong(ByteView payload) = 0;
  // Nothing follows. `code` is 1005 when the peer gave none.
  virtual void on_close(uint16_t code, ByteView reason) = 0;
  // A frame ended that did not end its message.
  virtual void on_fragment() {}
  // The message that comes next was compressed; sizes of its payload.
  virtual void on_inflated(size_t /*received*/, size_t /*inflated*/) {}

 protected:
  ~MessageSink() = default;
};

struct Limits {
  size_t message_bytes = 64 * 1024;
  // ... of one message, which would cost the peer six bytes each and never reach the other limit.
  uint16_t empty_fragments = 1000;
  // Until Decoder::raise_limit(): of a message as it comes and, where it is compressed, of what
  // comes of it, if that is less than the other limits.
  size_t first_message_bytes = SIZE_MAX;
};

// The receiving half of one WebSocket connection (RFC 6455 5-8) without a socket. Owned by the
// connection, used on its shard. Bytes go in as they arrive; a message that lies in them whole and
// unfragmented reaches the sink without a copy, otherwise its pieces are appended to one buffer
// that grows with what was received, never with what was announced; beyond 32 KiB it has room for
// the limit, whose pages are taken as bytes come. A compressed message (RFC 7692) is
// gathered the same way and inflated when it is complete. Between messages it holds no memory of
// its own. The first failure is final: later bytes are ignored, as they are after a close frame.
class Decoder {
 public:
  // Without `inflation`, which is borrowed, compressed messages are an error.
  explicit Decoder(Limits limits = {}, Role role = Role::kServer,
                   const Inflation* inflation = nullptr);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Unmasks and consumes `in`. Returns the number of bytes consumed: all of them, unless the sink
  // paused; the rest is untouched and must be given again.
  Result<size_t, DecodeFailure> decode(std::span<char> in, MessageSink& sink);

  // Called by the sink: decode() returns after this event.
  void pause() { paused_ = true; }

  // The limit of messages from here on; allowed in the middle of a message, and to the sink. Not
  // less than before.
  void raise_limit(size_t message_bytes);
  // raise_limit() was not called yet, and there was something to raise.
  bool at_first_limit() const { return first_; }

  // Bytes of memory held for a partial frame or message; 0 when idle.
  size_t held_bytes() const;

 private:
  struct Partial;
  using Taken = Result<size_t, DecodeFailure>;
  using Judged = Result<void, DecodeFailure>;

  Taken begin_frame(std::span<char> in, MessageSink& sink);
  Taken continue_frame(std::span<char> in, MessageSink& sink);
  Judged take_whole_frame(const FrameHeader& header, std::span<char> payload, MessageSink& sink);
  Judged take_control(Opcode opcode, ByteView payload, MessageSink& sink);
  Judged take_close(ByteView payload, MessageSink& sink);
  Judged extend_message(const FrameHeader& header, ByteView payload);
  Judged end_data_frame(bool fin, MessageSink& sink);
  Judged inflate(bool text, ByteView payload, MessageSink& sink);
  HeaderRules header_rules() const;
  size_t inflated_limit() const;
  Partial& partial();
  void release_if_idle();

  const Inflation* inflation_;
  std::unique_ptr<Partial> partial_;  // null between messages
  uint32_t max_message_bytes_;
  uint16_t max_empty_fragments_;
  Role role_;
  bool paused_ : 1 = false;
  bool first_ : 1;          // Limits::first_message_bytes is in force
  bool ended_ : 1 = false;  // after a close frame or a failure
};

}  // namespace parley::codec::websocket
