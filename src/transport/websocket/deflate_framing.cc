#include "transport/websocket/deflate_framing.h"

#include "codec/websocket/encoder.h"
#include "transport/websocket/meters.h"

namespace parley::transport::websocket {

DeflateFraming::DeflateFraming(const CompressionOptions& options, int window_bits,
                               const bool& paused)
    : options_(options), paused_(paused), deflater_(options.level, window_bits) {}

void DeflateFraming::frame(session::MessageType type, Buffer& out, size_t start) const {
  const size_t size = out.size() - start;
  if (size < options_.min_bytes || size > options_.max_bytes ||
      !compress(ByteView(out).substr(start)))
    return plain_.frame(type, out, start);
  const auto header = codec::websocket::frame_header(opcode_of(type), payload_.size(), true, true);
  out.resize(start);
  out.append(header.view()).append(payload_);
}

bool DeflateFraming::compress(ByteView message) const {
  if (paused_) {
    meters::count_left_plain(meters::LeftPlain::kPaused);
    return false;
  }
  payload_.clear();
  if (!deflater_.deflate(message, payload_)) {
    meters::count_left_plain(meters::LeftPlain::kNotSmaller);
    return false;
  }
  meters::deflated_messages.add();
  meters::deflated_bytes_in.add(message.size());
  meters::deflated_bytes_out.add(payload_.size());
  return true;
}

}  // namespace parley::transport::websocket
