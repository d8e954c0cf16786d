#include "codec/http1/request_decoder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "codec/http1/line_reader.h"
#include "codec/http1/request_head.h"
#include "codec/http1/syntax.h"

namespace parley::codec::http1 {

// A chunk's size and extensions; real peers send less than 20 bytes.
constexpr size_t kMaxChunkLine = 256;

struct RequestDecoder::InProgress {
  Request request;
  LineReader lines;
  BodyFraming framing;
  uint64_t body_limit = 0;
  uint64_t body_left = 0;      // of the plain body or of the current chunk
  uint32_t section_bytes = 0;  // of the headers; then of the extensions and trailers
  uint32_t trailers = 0;
};

const RequestDecoder::Handler RequestDecoder::kHandlers[] = {
    &RequestDecoder::read_idle,         &RequestDecoder::read_blank_line,
    &RequestDecoder::read_request_line, &RequestDecoder::read_header,
    &RequestDecoder::start_body,        &RequestDecoder::read_plain_body,
    &RequestDecoder::read_chunk_line,   &RequestDecoder::read_chunk_data,
    &RequestDecoder::read_chunk_end,    &RequestDecoder::read_trailer,
    &RequestDecoder::stay_done,         &RequestDecoder::stay_failed,
};

RequestDecoder::RequestDecoder(Limits limits) : limits_(limits) {}
RequestDecoder::~RequestDecoder() = default;
RequestDecoder::RequestDecoder(RequestDecoder&&) noexcept = default;
RequestDecoder& RequestDecoder::operator=(RequestDecoder&&) noexcept = default;

RequestDecoder::Step RequestDecoder::decode(ByteView in) {
  const size_t size = in.size();
  while (true) {
    // A variable of its own: g++ 12's bounds sanitizer reads a wrong index inside the call
    // expression.
    const Handler handler = kHandlers[static_cast<size_t>(phase_)];
    const Next next = (this->*handler)(in);
    const size_t consumed = size - in.size();
    switch (next) {
      case Next::kGoOn:
        break;
      case Next::kNeedMore:
        return {consumed, kNeedMore};
      case Next::kHeadersDone:
        return {consumed, kHeadersDone};
      case Next::kRequest:
        return {consumed, kRequest};
      case Next::kError:
        return {consumed, kError};
    }
  }
}

Request& RequestDecoder::request() {
  CHECK(phase_ == Phase::kBodyStart || phase_ == Phase::kDone);
  return progress_->request;
}

void RequestDecoder::limit_body(uint64_t bytes) {
  CHECK(phase_ == Phase::kBodyStart);
  progress_->body_limit = std::min(progress_->body_limit, bytes);
}

uint64_t RequestDecoder::body_left() const { return progress_ ? progress_->body_left : 0; }

void RequestDecoder::reset() {
  progress_.reset();
  phase_ = Phase::kIdle;
  error_ = DecodeError::kNone;
  blank_line_seen_ = false;
  head_ = false;
}

RequestDecoder::Next RequestDecoder::go_on(Phase phase) {
  phase_ = phase;
  return Next::kGoOn;
}

RequestDecoder::Next RequestDecoder::fail(DecodeError error) {
  progress_.reset();
  phase_ = Phase::kFailed;
  error_ = error;
  return Next::kError;
}

RequestDecoder::Next RequestDecoder::take_line(ByteView& in, size_t limit, DecodeError too_long,
                                               ByteView& line) {
  switch (progress_->lines.take(in, limit, line)) {
    case LineReader::Result::kNeedMore:
      return Next::kNeedMore;
    case LineReader::Result::kLine:
      return Next::kGoOn;
    case LineReader::Result::kTooLong:
      return fail(too_long);
    case LineReader::Result::kBareLineFeed:
      return fail(DecodeError::kBadLineEnd);
  }
  std::unreachable();
}

RequestDecoder::Next RequestDecoder::read_idle(ByteView& in) {
  if (in.empty()) return Next::kNeedMore;
  // RFC 9112 section 2.2: one blank line may precede a request, as old clients sent after a body.
  if (in.front() == '\r' && !blank_line_seen_) {
    in.remove_prefix(1);
    return go_on(Phase::kBlankLine);
  }
  // Said at the first byte, so that a TLS hello or a proxy header does not wait for a timeout.
  if (!is_token_char(in.front())) return fail(DecodeError::kBadMethod);
  progress_ = std::make_unique<InProgress>();
  progress_->body_limit = limits_.body_bytes;
  return go_on(Phase::kRequestLine);
}

RequestDecoder::Next RequestDecoder::read_blank_line(ByteView& in) {
  if (in.empty()) return Next::kNeedMore;
  if (in.front() != '\n') return fail(DecodeError::kBadLineEnd);
  in.remove_prefix(1);
  blank_line_seen_ = true;
  return go_on(Phase::kIdle);
}

RequestDecoder::Next RequestDecoder::read_request_line(ByteView& in) {
  ByteView line;
  const Next next = take_line(in, limits_.request_line, DecodeError::kRequestLineTooLong, line);
  if (next != Next::kGoOn) return next;
  const auto error = parse_request_line(line, progress_->request);
  head_ = progress_->request.method == "HEAD";
  return error == DecodeError::kNone ? go_on(Phase::kHeaders) : fail(error);
}

RequestDecoder::Next RequestDecoder::take_header_line(ByteView& in, ByteView& line) {
  auto& used = progress_->section_bytes;
  const Next next = take_line(in, limits_.header_bytes - used, DecodeError::kHeadersTooLarge, line);
  if (next == Next::kGoOn) used += static_cast<uint32_t>(line.size() + 2);
  return next;
}

RequestDecoder::Next RequestDecoder::read_header(ByteView& in) {
  ByteView line;
  if (const Next next = take_header_line(in, line); next != Next::kGoOn) return next;
  if (line.empty()) return finish_headers();
  auto& headers = progress_->request.headers;
  if (headers.size() == limits_.header_count) return fail(DecodeError::kTooManyHeaders);
  const auto header = parse_header_line(line);
  if (!header) return fail(header.error());
  headers.emplace_back(std::string(header->name), std::string(header->value));
  return Next::kGoOn;
}

RequestDecoder::Next RequestDecoder::finish_headers() {
  const auto framing = finish_head(progress_->request);
  if (!framing) return fail(framing.error());
  progress_->framing = *framing;
  progress_->lines.release();
  if (!framing->chunked && framing->length == 0) {
    phase_ = Phase::kDone;
    return Next::kRequest;
  }
  if (framing->length > progress_->body_limit) return fail(DecodeError::kBodyTooLarge);
  progress_->section_bytes = 0;
  phase_ = Phase::kBodyStart;
  return Next::kHeadersDone;
}

RequestDecoder::Next RequestDecoder::start_body(ByteView&) {
  const auto& framing = progress_->framing;
  if (framing.chunked) return go_on(Phase::kChunkLine);
  if (framing.length > progress_->body_limit) return fail(DecodeError::kBodyTooLarge);
  progress_->body_left = framing.length;
  return go_on(Phase::kPlainBody);
}

// Appends what is there of the `body_left` bytes. No memory is reserved for bytes that were only
// announced: a thousand connections that promise a megabyte and send nothing cost nothing.
RequestDecoder::Next RequestDecoder::take_body(ByteView& in, Phase then) {
  auto& left = progress_->body_left;
  const auto piece = in.substr(0, std::min<uint64_t>(in.size(), left));
  progress_->request.body.append(piece);
  in.remove_prefix(piece.size());
  left -= piece.size();
  return left == 0 ? go_on(then) : Next::kNeedMore;
}

RequestDecoder::Next RequestDecoder::read_plain_body(ByteView& in) {
  const Next next = take_body(in, Phase::kDone);
  return next == Next::kGoOn ? Next::kRequest : next;
}

RequestDecoder::Next RequestDecoder::read_chunk_line(ByteView& in) {
  ByteView line;
  const Next next = take_line(in, kMaxChunkLine, DecodeError::kBadChunkExtension, line);
  if (next != Next::kGoOn) return next;
  const auto chunk = parse_chunk_line(line);
  if (!chunk) return fail(chunk.error());
  if (chunk->extension_bytes > limits_.header_bytes - progress_->section_bytes)
    return fail(DecodeError::kBadChunkExtension);
  progress_->section_bytes += static_cast<uint32_t>(chunk->extension_bytes);
  if (chunk->size == 0) return go_on(Phase::kTrailers);
  if (chunk->size > progress_->body_limit - progress_->request.body.size())
    return fail(DecodeError::kBodyTooLarge);
  progress_->body_left = chunk->size;
  return go_on(Phase::kChunkData);
}

RequestDecoder::Next RequestDecoder::read_chunk_data(ByteView& in) {
  return take_body(in, Phase::kChunkEnd);
}

RequestDecoder::Next RequestDecoder::read_chunk_end(ByteView& in) {
  ByteView line;
  const Next next = take_line(in, 2, DecodeError::kBadChunkEnd, line);
  return next == Next::kGoOn ? go_on(Phase::kChunkLine) : next;
}

RequestDecoder::Next RequestDecoder::read_trailer(ByteView& in) {
  ByteView line;
  if (const Next next = take_header_line(in, line); next != Next::kGoOn) return next;
  if (line.empty()) {
    progress_->lines.release();
    phase_ = Phase::kDone;
    return Next::kRequest;
  }
  if (progress_->trailers++ == limits_.header_count) return fail(DecodeError::kTooManyHeaders);
  // Dropped, but judged: a trailer that another parser reads differently is a smuggling vehicle.
  const auto trailer = parse_header_line(line);
  return trailer ? Next::kGoOn : fail(trailer.error());
}

RequestDecoder::Next RequestDecoder::stay_done(ByteView&) { return Next::kRequest; }

RequestDecoder::Next RequestDecoder::stay_failed(ByteView&) { return Next::kError; }

}  // namespace parley::codec::http1
