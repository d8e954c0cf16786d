// Whatever the cuts, the decoder tells the same story; what it tells, encoded again, tells it once
// more; and nothing that we encode can inject a second event.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/sse/encoder.h"
#include "codec/sse/trace_sink.h"

namespace parley::codec::sse {
namespace {

TraceSink decode(Limits limits, ByteView input, uint32_t seed, bool whole) {
  Decoder decoder(limits);
  TraceSink sink;
  while (!input.empty()) {
    seed = seed * 1664525 + 1013904223;
    const size_t size = whole ? input.size() : std::min<size_t>(input.size(), 1 + (seed >> 16) % 7);
    if (!feed(decoder, input.substr(0, size), sink)) break;
    input.remove_prefix(size);
  }
  return sink;
}

void check_encoder(ByteView id, ByteView data) {
  Buffer out;
  encode_comment(data, out);
  const bool encoded = encode_event({.event = id, .id = id, .data = data}, out);
  const TraceSink sink = decode({}, out, 0, true);
  if (sink.log().size() != (encoded ? 2 : 1)) std::abort();
  if (encoded && sink.seen().at(0).id != id) std::abort();
}

}  // namespace
}  // namespace parley::codec::sse

// Byte 0: limits. Byte 1: cuts. The rest: the stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::codec::sse;
  if (size < 2) return 0;
  const parley::ByteView input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Limits limits{.line_bytes = data[0] * 4u, .event_bytes = data[0] * 8u};
  const TraceSink whole = decode(limits, input, 0, true);
  if (decode(limits, input, data[1], false).log() != whole.log()) std::abort();

  for (const auto& seen : whole.seen()) {
    parley::Buffer out;
    if (!encode_event({.event = seen.type, .id = seen.id, .data = seen.data}, out)) {
      // A type may hold a NUL, which we do not send.
      if (seen.type.find('\0') == std::string::npos) std::abort();
      continue;
    }
    if (decode({}, out, 0, true).seen() != std::vector{seen}) std::abort();
  }
  const size_t split = std::min<size_t>(data[1] % 16, input.size());
  check_encoder(input.substr(0, split), input.substr(split));
  return 0;
}
