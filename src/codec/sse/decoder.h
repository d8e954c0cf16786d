// Server-sent events in, as a browser's EventSource reads them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace parley::codec::sse {

struct DecodedEvent {
  std::string_view type;  // "message" when the stream named none
  ByteView data;
  std::string_view last_event_id;  // as it stands at this event, maybe set by an earlier one
};

// Receives what a Decoder finds. Views are valid during the call. It must not destroy the decoder
// nor feed it.
class EventSink {
 public:
  virtual void on_event(const DecodedEvent& event) = 0;
  virtual void on_retry(uint32_t milliseconds) = 0;
  virtual void on_comment(std::string_view /*text*/) {}

 protected:
  ~EventSink() = default;
};

struct Limits {
  size_t line_bytes = 1024 * 1024;
  size_t event_bytes = 4 * 1024 * 1024;  // data, type and id together
};

struct DecodeFailure {
  const char* reason;
};

// The client's side of one event stream (WHATWG HTML 9.2.6) without a socket. Owned by the
// connection. An event that the stream's end cuts off is dropped, as the standard wants. Bytes that
// are not UTF-8 are handed on as they came. The first failure is final: later bytes are ignored.
class Decoder {
 public:
  explicit Decoder(Limits limits = {}) : limits_(limits) {}

  Result<void, DecodeFailure> decode(ByteView in, EventSink& sink);

  // What a reconnect sends as Last-Event-ID.
  std::string_view last_event_id() const { return last_event_id_; }

 private:
  using Judged = Result<void, DecodeFailure>;

  Judged take_piece(ByteView piece, bool ends_line, EventSink& sink);
  Judged take_line(ByteView line, EventSink& sink);
  Judged take_field(std::string_view name, std::string_view value, EventSink& sink);
  void skip_byte_order_mark(ByteView& in);
  void dispatch(EventSink& sink);

  Limits limits_;
  Buffer line_;  // the beginning of a line whose end is still to come
  Buffer data_;  // of the event that is being read, each line ended by LF
  Buffer type_;
  Buffer id_;  // becomes last_event_id_ at the end of the event
  Buffer last_event_id_;
  uint8_t mark_bytes_ = 0;  // of the byte order mark, seen so far
  bool at_start_ = true;
  bool after_cr_ = false;  // an LF that comes next belongs to that line end
  bool failed_ = false;
};

}  // namespace parley::codec::sse
