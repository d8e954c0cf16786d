#include "codec/websocket/inflater.h"

#include <algorithm>
#include <array>

#include <zlib.h>

#include "base/check.h"
#include "codec/websocket/protocol.h"

namespace parley::codec::websocket {
namespace {

// Negative: raw deflate. It reads what was made with any smaller window too.
constexpr int kRawWindow = -15;
constexpr size_t kPiece = 16 * 1024;
// In z_stream::data_type: between two blocks.
constexpr int kAtBlock = 128;

}  // namespace

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

void Inflater::Close::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

void Inflater::begin() {
  if (stream_) {
    inflateReset(stream_.get());
    return;
  }
  stream_.reset(new z_stream_s{});
  CHECK(inflateInit2(stream_.get(), kRawWindow) == Z_OK);
}

Result<void, InflateFault> Inflater::inflate(ByteView payload, size_t limit, Buffer& out) {
  begin();
  const size_t most = out.size() + limit;
  Step step = feed(payload, most, out);
  // A final block may end the message, though RFC 7692 7.2.3.4 wants an empty one behind it.
  if (step == Step::kMore) {
    step = feed(kDeflateTail, most, out);
    // Neither in the middle of a block nor of a byte.
    if (step == Step::kMore && stream_->data_type != kAtBlock) step = Step::kInvalid;
  }
  if (step == Step::kTooBig) return std::unexpected(InflateFault::kTooBig);
  if (step == Step::kInvalid) return std::unexpected(InflateFault::kInvalid);
  return {};
}

// `out` may become `most` bytes long.
Inflater::Step Inflater::feed(ByteView input, size_t most, Buffer& out) {
  std::array<char, kPiece> piece;
  z_stream_s& stream = *stream_;
  // zlib takes what it is given for writable by an accident of C.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  while (true) {
    const size_t room = std::min(piece.size(), most + 1 - out.size());
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(room);
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    out.append(piece.data(), room - stream.avail_out);
    if (out.size() > most) return Step::kTooBig;
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return Step::kEnded;
      // What follows a final block is a stream of its own.
      inflateReset(&stream);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Step::kInvalid;
    } else if (stream.avail_in == 0 && stream.avail_out > 0) {
      return Step::kMore;
    }
  }
}

}  // namespace parley::codec::websocket
