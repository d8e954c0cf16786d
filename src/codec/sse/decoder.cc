#include "codec/sse/decoder.h"

#include <algorithm>

namespace parley::codec::sse {
namespace {
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}

Result<void, DecodeFailure> Decoder::decode(ByteView in, EventSink& sink) {
  if (failed_) return {};
  if (at_start_) skip_byte_order_mark(in);
  while (!in.empty()) {
    if (std::exchange(after_cr_, false) && in.front() == '\n') {
      in.remove_prefix(1);
      continue;
    }
    const size_t end = in.find_first_of("\r\n");
    const bool ends_line = end != ByteView::npos;
    if (const auto ok = take_piece(in.substr(0, end), ends_line, sink); !ok) {
      *this = Decoder(limits_);
      failed_ = true;
      return ok;
    }
    if (!ends_line) return {};
    after_cr_ = in[end] == '\r';
    in.remove_prefix(end + 1);
  }
  return {};
}

void Decoder::skip_byte_order_mark(ByteView& in) {
  while (!in.empty() && mark_bytes_ < kByteOrderMark.size() &&
         in.front() == kByteOrderMark[mark_bytes_]) {
    ++mark_bytes_;
    in.remove_prefix(1);
  }
  if (mark_bytes_ < kByteOrderMark.size()) {
    if (in.empty()) return;
    // It was no mark after all but the beginning of the first line.
    line_ = kByteOrderMark.substr(0, mark_bytes_);
  }
  at_start_ = false;
}

Decoder::Judged Decoder::take_piece(ByteView piece, bool ends_line, EventSink& sink) {
  if (piece.size() > limits_.line_bytes - std::min(line_.size(), limits_.line_bytes))
    return std::unexpected(DecodeFailure{"line too long"});
  if (ends_line && line_.empty()) return take_line(piece, sink);
  line_.append(piece);
  if (!ends_line) return {};
  const Buffer line = std::exchange(line_, {});
  return take_line(line, sink);
}

Decoder::Judged Decoder::take_line(ByteView line, EventSink& sink) {
  if (line.empty()) {
    dispatch(sink);
    return {};
  }
  const size_t colon = line.find(':');
  if (colon == 0) {
    sink.on_comment(line.substr(1));
    return {};
  }
  std::string_view value;
  if (colon != ByteView::npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  return take_field(line.substr(0, colon), value, sink);
}

// Unknown fields are ignored, as the standard wants.
Decoder::Judged Decoder::take_field(std::string_view name, std::string_view value,
                                    EventSink& sink) {
  if (name == "data") {
    data_.append(value).push_back('\n');
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    uint32_t milliseconds = 0;
    if (parse_uint(value, milliseconds)) sink.on_retry(milliseconds);
  }
  if (data_.size() + type_.size() + id_.size() > limits_.event_bytes)
    return std::unexpected(DecodeFailure{"event too big"});
  return {};
}

void Decoder::dispatch(EventSink& sink) {
  last_event_id_ = id_;
  const Buffer type = std::exchange(type_, {});
  const Buffer data = std::exchange(data_, {});
  if (data.empty()) return;
  sink.on_event({.type = type.empty() ? std::string_view("message") : type,
                 .data = ByteView(data).substr(0, data.size() - 1),
                 .last_event_id = last_event_id_});
}

}  // namespace parley::codec::sse
