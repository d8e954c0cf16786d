// Compressed frames tell the same story whatever the cuts, nothing grows beyond its limit, what we
// compress comes back, and what we answer to an offer is itself an offer that gets this answer.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/websocket/deflate_terms.h"
#include "codec/websocket/deflater.h"
#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"

namespace parley::codec::websocket {
namespace {

struct Setting {
  size_t message_bytes;
  const Inflation* inflation;
};

std::vector<std::string> decode(const Setting& setting, ByteView input, uint32_t seed,
                                bool pausing) {
  Decoder decoder({setting.message_bytes}, Role::kServer, setting.inflation);
  TraceSink sink(pausing ? &decoder : nullptr);
  while (!input.empty()) {
    seed = seed * 1664525 + 1013904223;
    const size_t size = std::min<size_t>(input.size(), 1 + (seed >> 16) % 9);
    if (!feed(decoder, input.substr(0, size), sink)) break;
    if (decoder.held_bytes() > 3 * setting.message_bytes + 1024) std::abort();
    input.remove_prefix(size);
  }
  return sink.events();
}

std::vector<std::string> decode_whole(const Setting& setting, ByteView input) {
  Decoder decoder({setting.message_bytes}, Role::kServer, setting.inflation);
  TraceSink sink;
  feed(decoder, input, sink);
  return sink.events();
}

void check_frames(const Setting& setting, ByteView input, uint32_t seed) {
  const auto whole = decode_whole(setting, input);
  if (decode(setting, input, seed, false) != whole) std::abort();
  if (decode(setting, input, seed + 256, true) != whole) std::abort();
  for (const auto& event : whole) {
    const bool message = event.starts_with("text(") || event.starts_with("bin(");
    if (message && event.size() > setting.inflation->message_bytes + 6 &&
        event.size() > setting.message_bytes + 6)
      std::abort();
  }
}

void check_payload(Inflater& inflater, ByteView input, size_t limit) {
  Buffer first, second;
  const auto once = inflater.inflate(input, limit, first);
  const auto again = inflater.inflate(input, limit, second);
  if (once != again || first != second) std::abort();
  if (first.size() > limit + (once ? 0 : 1)) std::abort();
}

void check_round_trip(Inflater& inflater, ByteView input, uint8_t choice) {
  Deflater deflater(1 + choice % 9, kServerWindows[choice % kServerWindows.size()]);
  for (int round = 0; round < 2; ++round) {
    Buffer payload, message;
    if (!deflater.deflate(input, payload)) continue;
    if (payload.size() >= input.size()) std::abort();
    if (!inflater.inflate(payload, input.size(), message) || message != input) std::abort();
  }
}

void check_terms(ByteView input) {
  const auto terms = negotiate_deflate(input);
  if (!terms || !*terms) return;
  const auto again = negotiate_deflate((*terms)->answer());
  if (!again || *again != *terms) std::abort();
}

}  // namespace
}  // namespace parley::codec::websocket

// Byte 0: limits, level and window. Byte 1: cuts. The rest: the peer's bytes, as frames, as a
// payload, as a message, and as a header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::codec::websocket;
  if (size < 2) return 0;
  Inflater inflater;
  const size_t limit = static_cast<size_t>(data[0]) * 16;
  const Inflation inflation{inflater, data[0] % 2 == 0 ? limit : limit * 4};
  const parley::ByteView input(reinterpret_cast<const char*>(data) + 2, size - 2);
  check_frames({limit, &inflation}, input, data[1]);
  check_payload(inflater, input, limit);
  check_round_trip(inflater, input, data[0]);
  check_terms(input);
  return 0;
}
