#include "codec/websocket/deflater.h"

#include <zlib.h>

#include "base/check.h"
#include "codec/websocket/protocol.h"

namespace parley::codec::websocket {
namespace {

// The hash table slides along with the window: a large one over a small window costs more than the
// compression itself.
int memory_level(int window_bits) { return (window_bits - 1) / 2; }

}  // namespace

Deflater::Deflater(int level, int window_bits) : level_(level), window_bits_(window_bits) {
  CHECK(level >= 1 && level <= 9);
  CHECK(window_bits >= 9 && window_bits <= 15);
}
Deflater::~Deflater() = default;

void Deflater::Close::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

void Deflater::begin() {
  if (stream_) {
    deflateReset(stream_.get());
    return;
  }
  stream_.reset(new z_stream_s{});
  CHECK(deflateInit2(stream_.get(), level_, Z_DEFLATED, -window_bits_, memory_level(window_bits_),
                     Z_DEFAULT_STRATEGY) == Z_OK);
}

bool Deflater::deflate(ByteView message, Buffer& out) {
  begin();
  const size_t start = out.size();
  // With the tail: what needs all of this is not smaller.
  const size_t room = message.size() + kDeflateTail.size();
  out.resize(start + room);
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream_->avail_in = static_cast<uInt>(message.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out.data() + start);
  stream_->avail_out = static_cast<uInt>(room);
  ::deflate(stream_.get(), Z_SYNC_FLUSH);
  if (stream_->avail_out == 0) {
    out.resize(start);
    return false;
  }
  out.resize(start + room - stream_->avail_out);
  CHECK(ByteView(out).ends_with(kDeflateTail));
  out.resize(out.size() - kDeflateTail.size());
  return true;
}

}  // namespace parley::codec::websocket
