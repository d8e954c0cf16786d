// Compressed messages for tests: what a client may send, and what it should not.
#pragma once

#include <random>
#include <string>

#include <zlib.h>

#include "base/check.h"
#include "codec/websocket/encoder.h"

namespace parley::codec::websocket::testing {

// What: a client that may keep its context between messages. Apart from Deflater, so that the two
// do not share mistakes.
class ClientDeflater {
 public:
  explicit ClientDeflater(int window_bits = 15, int level = 6) {
    CHECK(deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~ClientDeflater() { deflateEnd(&stream_); }

  // `flush`: Z_SYNC_FLUSH gives a message as RFC 7692 wants it; others are for odd ones.
  std::string deflate(ByteView message, int flush = Z_SYNC_FLUSH) {
    std::string out(deflateBound(&stream_, message.size()) + 16, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream_, flush);
    out.resize(out.size() - stream_.avail_out);
    if (flush == Z_SYNC_FLUSH) out.resize(out.size() - 4);
    return out;
  }

 private:
  z_stream stream_{};
};

inline std::string deflated(ByteView message, int flush = Z_SYNC_FLUSH) {
  return ClientDeflater().deflate(message, flush);
}

// A few KiB that become `size` zeros.
inline std::string bomb(size_t size) {
  return ClientDeflater(15, 9).deflate(std::string(size, '\0'));
}

// A masked frame with RSV1.
inline std::string compressed_frame(Opcode opcode, ByteView payload, bool fin = true) {
  Buffer out;
  append_masked_frame(out, opcode, payload, 0x37fa213d, fin, true);
  return out;
}

// JSON as publications are, or noise.
inline std::string sample(size_t size, bool noise, uint32_t seed) {
  std::mt19937 rng(seed);
  std::string out;
  while (out.size() < size) {
    if (noise) {
      out.push_back(static_cast<char>(rng()));
    } else {
      out += R"({"channel":"news","pub":{"data":{"price":)" + std::to_string(rng() % 1000) + "}}}";
    }
  }
  out.resize(size);
  return out;
}

}  // namespace parley::codec::websocket::testing
