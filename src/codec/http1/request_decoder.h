// Bytes in, HTTP/1.1 requests out, one at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "codec/http1/decode_error.h"
#include "codec/http1/request.h"

namespace parley::codec::http1 {

struct Limits {
  uint32_t request_line = 8 * 1024;   // bytes, CR LF included; more: 414
  uint32_t header_bytes = 16 * 1024;  // bytes of all header lines, the empty one included; more:
                                      // 431. Again for chunk extensions and trailers together
  uint32_t header_count = 100;        // more: 431. Again for trailers
  uint64_t body_bytes = 1024 * 1024;  // more: 413
};

// A strict decoder of requests (RFC 9112, narrowed where two readings exist: see README.md).
//
// Owned by one connection and used on that connection's shard only. Between requests it holds no
// memory beyond itself: what a request needs is allocated at its first byte and freed by reset().
// What it decodes does not depend on how the input is cut. After kError the connection must be
// closed; the decoder then consumes nothing more until reset().
//
//   while (true) {
//     const auto step = decoder.decode(in);
//     in.remove_prefix(step.consumed);
//     kNeedMore: all of `in` was consumed; come back with more
//     kHeadersDone: route request(); answer 100 if it expects that; limit_body(); decode on
//     kRequest: handle request() or move it away, then reset(); `in` holds what follows
//     kError: answer http_status(error()) and close
//   }
class RequestDecoder {
 public:
  enum State : uint8_t { kNeedMore, kHeadersDone, kRequest, kError };
  struct Step {
    size_t consumed;
    State state;
  };

  explicit RequestDecoder(Limits limits = {});
  ~RequestDecoder();
  RequestDecoder(RequestDecoder&&) noexcept;
  RequestDecoder& operator=(RequestDecoder&&) noexcept;

  // Consumes until something is to be said. kHeadersDone comes once for a request that has a body,
  // before any byte of the body is consumed; a request without one goes straight to kRequest.
  Step decode(ByteView in);

  // After kHeadersDone (without body) and kRequest.
  Request& request();

  // After kHeadersDone: lowers this request's body limit, never raises it. A body already
  // announced as longer makes the next decode() fail with 413.
  void limit_body(uint64_t bytes);

  // After kError.
  DecodeError error() const { return error_; }

  // The request line said HEAD, whatever came of the rest: no answer to it has a body.
  bool is_head() const { return head_; }

  // No byte of a request was seen since the start or the last reset(); a blank line before a
  // request does not count.
  bool idle() const { return phase_ == Phase::kIdle || phase_ == Phase::kBlankLine; }

  // So many bytes of the body are certainly still to come: of one with a length all, of one in
  // chunks those of the chunk that has begun. Else 0.
  uint64_t body_left() const;

  // Ready for the next request; frees all memory of the last one.
  void reset();

 private:
  // In the order of kHandlers.
  enum class Phase : uint8_t {
    kIdle,
    kBlankLine,
    kRequestLine,
    kHeaders,
    kBodyStart,
    kPlainBody,
    kChunkLine,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kDone,
    kFailed,
  };
  enum class Next : uint8_t { kGoOn, kNeedMore, kHeadersDone, kRequest, kError };
  struct InProgress;
  using Handler = Next (RequestDecoder::*)(ByteView& in);
  static const Handler kHandlers[];

  Next read_idle(ByteView& in);
  Next read_blank_line(ByteView& in);
  Next read_request_line(ByteView& in);
  Next read_header(ByteView& in);
  Next start_body(ByteView& in);
  Next read_plain_body(ByteView& in);
  Next read_chunk_line(ByteView& in);
  Next read_chunk_data(ByteView& in);
  Next read_chunk_end(ByteView& in);
  Next read_trailer(ByteView& in);
  Next stay_done(ByteView& in);
  Next stay_failed(ByteView& in);

  Next take_line(ByteView& in, size_t limit, DecodeError too_long, ByteView& line);
  Next take_header_line(ByteView& in, ByteView& line);
  Next finish_headers();
  Next take_body(ByteView& in, Phase then);
  Next go_on(Phase phase);
  Next fail(DecodeError error);

  Limits limits_;
  std::unique_ptr<InProgress> progress_;
  Phase phase_ = Phase::kIdle;
  DecodeError error_ = DecodeError::kNone;
  bool blank_line_seen_ = false;
  bool head_ = false;
};

}  // namespace parley::codec::http1
