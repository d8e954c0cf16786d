// Whatever the cuts and pauses, the decoder tells the same story; what it tells, encoded again,
// tells it once more.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/websocket/encoder.h"
#include "codec/websocket/handshake.h"
#include "codec/websocket/trace_sink.h"

namespace parley::codec::websocket {
namespace {

struct Setting {
  Limits limits;
  Role role;
};

std::vector<std::string> decode_whole(const Setting& setting, ByteView input) {
  Decoder decoder(setting.limits, setting.role);
  TraceSink sink;
  feed(decoder, input, sink);
  return sink.events();
}

std::vector<std::string> decode_in_pieces(const Setting& setting, ByteView input, uint32_t seed,
                                          bool pausing) {
  Decoder decoder(setting.limits, setting.role);
  TraceSink sink(pausing ? &decoder : nullptr);
  while (!input.empty()) {
    seed = seed * 1664525 + 1013904223;
    const size_t size = std::min<size_t>(input.size(), 1 + (seed >> 16) % 9);
    if (!feed(decoder, input.substr(0, size), sink)) break;
    if (decoder.held_bytes() > 2 * setting.limits.message_bytes + 1024) std::abort();
    input.remove_prefix(size);
  }
  return sink.events();
}

// Every message told is one that our own encoder and decoder agree on.
void check_round_trip(const std::vector<std::string>& events, uint32_t mask) {
  for (const auto& event : events) {
    const bool text = event.starts_with("text(");
    if (!text && !event.starts_with("bin(")) continue;
    const auto payload = ByteView(event).substr(text ? 5 : 4, event.size() - (text ? 6 : 5));
    Buffer frame;
    append_masked_frame(frame, text ? Opcode::kText : Opcode::kBinary, payload, mask);
    if (decode_whole({{payload.size()}, Role::kServer}, frame) != std::vector{event}) std::abort();
  }
}

void check_handshake(ByteView input) {
  static constexpr std::string_view kKnown[] = {"mqtt", "v1"};
  const HandshakeRequest request{.method = "GET",
                                 .upgrade = "websocket",
                                 .connection = "keep-alive, Upgrade",
                                 .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                 .version = "13",
                                 .protocols = input};
  const auto accept = accept_handshake(request, kKnown);
  if (!accept && accept.error().status != 400) std::abort();
  HandshakeRequest bad = request;
  bad.key = input;
  bad.upgrade = input;
  if (accept_handshake(bad, kKnown)) std::abort();
}

}  // namespace
}  // namespace parley::codec::websocket

// Byte 0: role and size limit. Byte 1: cuts. The rest: the peer's bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::codec::websocket;
  if (size < 2) return 0;
  const Setting setting{.limits = {.message_bytes = static_cast<size_t>(data[0] >> 1) * 16},
                        .role = data[0] & 1 ? Role::kClient : Role::kServer};
  const parley::ByteView input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = decode_whole(setting, input);
  if (decode_in_pieces(setting, input, data[1], false) != whole) std::abort();
  if (decode_in_pieces(setting, input, data[1] + 256u, true) != whole) std::abort();
  check_round_trip(whole, data[1] * 0x01030507u);
  check_handshake(input);
  return 0;
}
