// WebSocket frames: the decoder against a plain one, at any cuts, in both roles; what is encoded
// comes back; masks and compression.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/websocket/deflate_terms.h"
#include "codec/websocket/deflate_testing.h"
#include "codec/websocket/deflater.h"
#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"
#include "tests/property/generators.h"
#include "tests/property/websocket_reference.h"

namespace parley::testing {
namespace {

namespace ws = codec::websocket;
using Events = std::vector<std::string>;

// Of what follows a message and stands between its fragments: nothing, ping or pong.
using Control = std::pair<uint8_t, Bytes>;
// Text or binary, the payload, sizes of its fragments, what stands between them.
using Message = std::tuple<bool, Bytes, CutSizes, Control>;

rc::Gen<Message> any_message() {
  return rc::gen::mapcat(rc::gen::arbitrary<bool>(), [](bool text) {
    return rc::gen::tuple(rc::gen::just(text), text ? any_text() : any_bytes(),
                          rc::gen::scale(0.1, any_cuts()),
                          rc::gen::pair(rc::gen::inRange<uint8_t>(0, 3), any_bytes()));
  });
}

void append(Bytes& out, bool server, ws::Opcode opcode, ByteView payload, bool fin, uint32_t mask) {
  if (server) return ws::append_masked_frame(out, opcode, payload, mask, fin);
  ws::append_frame(out, opcode, payload, fin);
}

void append_control(Bytes& out, bool server, const Control& control, Events& events) {
  const Bytes payload = control.second.substr(0, ws::kMaxControlPayload);
  if (control.first == 0) return;
  const bool ping = control.first == 1;
  append(out, server, ping ? ws::Opcode::kPing : ws::Opcode::kPong, payload, true, 0x01020304);
  events.push_back((ping ? "ping(" : "pong(") + payload + ")");
}

// The frames of a message, and what a receiver should say to them.
void append_message(Bytes& out, bool server, const Message& message, Events& events) {
  const auto& [text, payload, cuts, control] = message;
  auto pieces = pieces_of(payload, cuts);
  if (pieces.empty()) pieces.emplace_back();
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto first = text ? ws::Opcode::kText : ws::Opcode::kBinary;
    const bool last = i + 1 == pieces.size();
    append(out, server, i == 0 ? first : ws::Opcode::kContinuation, pieces[i], last,
           0x9e3779b9u * static_cast<uint32_t>(payload.size() + i));
    if (last) break;
    events.emplace_back("fragment()");
    append_control(out, server, control, events);
  }
  events.push_back((text ? "text(" : "bin(") + payload + ")");
  append_control(out, server, control, events);
}

Events told(ws::Limits limits, bool server, const std::vector<std::string_view>& pieces,
            bool pausing, const ws::Inflation* inflation = nullptr) {
  ws::Decoder decoder(limits, server ? ws::Role::kServer : ws::Role::kClient, inflation);
  ws::TraceSink sink(pausing ? &decoder : nullptr);
  for (const auto piece : pieces)
    if (!ws::feed(decoder, piece, sink)) break;
  return sink.events();
}

RC_GTEST_PROP(WebSocketProperty, WhatIsEncodedComesBack,
              (bool server, uint16_t code, const Bytes& reason)) {
  Bytes frames;
  Events expected;
  for (const Message& message : *rc::gen::container<std::vector<Message>>(any_message()))
    append_message(frames, server, message, expected);
  if (!server) {
    ws::append_close(frames, code, reason);
    const bool sent = ws::is_wire_close_code(code);
    const bool told_why = sent && reason.size() <= 123 && plainly_utf8(reason);
    expected.push_back("close(" + (sent ? std::to_string(code) : "1005") + "," +
                       (told_why ? reason : "") + ")");
    RC_PRE(!sent || reason.size() <= 123);
  }
  const auto pieces = pieces_of(frames, *any_cuts());
  RC_ASSERT(told({}, server, pieces, false) == expected);
}

RC_GTEST_PROP(WebSocketProperty, SaysWhatThePlainReceiverSays, (bool server, bool pausing)) {
  Bytes frames;
  Events ignored;
  for (const Message& message : *rc::gen::container<std::vector<Message>>(any_message()))
    append_message(frames, server, message, ignored);
  ws::append_close(frames, *rc::gen::inRange<uint16_t>(990, 5010));
  frames = damaged(frames, *some_damage());
  const size_t most = *rc::gen::inRange<size_t>(0, 300);
  PlainReceiver plain(most, server);
  plain.take(frames);
  const auto pieces = pieces_of(frames, *any_cuts());
  RC_ASSERT(told({most}, server, pieces, pausing) == plain.events());
}

// Headers by themselves, where conversations seldom get to.
RC_GTEST_PROP(WebSocketProperty, ReadsAnyHeaderAsThePlainReceiver, (bool server, uint8_t first)) {
  const auto second = *rc::gen::element<uint8_t>(0, 1, 125, 126, 127, 128, 129, 253, 254, 255);
  Bytes frame{static_cast<char>(first), static_cast<char>(second)};
  const auto length = *rc::gen::element<uint64_t>(0, 125, 126, 65535, 65536, 1ull << 32, 1ull << 62,
                                                  1ull << 63, ~0ull);
  const int width = second % 128 == 126 ? 2 : second % 128 == 127 ? 8 : 0;
  for (int i = width; i-- > 0;) frame.push_back(static_cast<char>(length >> (8 * i)));
  frame += *any_bytes();
  PlainReceiver plain(70'000, server);
  plain.take(frame);
  RC_ASSERT(told({70'000}, server, pieces_of(frame, *any_cuts()), false) == plain.events());
}

// Each offset, length and alignment that the fast loop can meet, with each byte of the key at work.
TEST(WebSocketDifferential, MasksAsAPlainLoopDoes) {
  std::vector<char> plain(64), fast(64 + 8);
  for (size_t alignment = 0; alignment < 8; ++alignment) {
    for (size_t offset = 0; offset < 9; ++offset) {
      for (size_t length = 0; length <= 40; ++length) {
        const ws::MaskKey key{'\x01', '\x80', '\x5a', static_cast<char>(length * 7 + offset)};
        char* const at = fast.data() + alignment;
        for (size_t i = 0; i < 64; ++i) {
          plain[i] = static_cast<char>(i * 37 + length);
          at[i] = plain[i];
        }
        for (size_t i = 0; i < length; ++i)
          plain[i] = static_cast<char>(plain[i] ^ key[(offset + i) % 4]);
        ws::apply_mask({at, length}, key, offset);
        ASSERT_EQ(std::string_view(at, 64), std::string_view(plain.data(), 64))
            << alignment << ' ' << offset << ' ' << length;
      }
    }
  }
}

RC_GTEST_PROP(WebSocketProperty, MasksOfPiecesAreThoseOfTheWhole, (uint32_t mask)) {
  const Bytes payload = *any_bytes();
  Bytes whole = payload, apart = payload;
  ws::MaskKey key;
  for (size_t i = 0; i < 4; ++i) key[i] = static_cast<char>(mask >> (8 * i));
  ws::apply_mask(whole, key, 0);
  size_t at = 0;
  for (const auto piece : pieces_of(payload, *any_cuts())) {
    ws::apply_mask({apart.data() + at, piece.size()}, key, at);
    at += piece.size();
  }
  RC_ASSERT(apart == whole);
  ws::apply_mask(whole, key, 0);
  RC_ASSERT(whole == payload);
}

RC_GTEST_PROP(WebSocketProperty, CompressedMessagesComeBackAtAnyCuts, (bool pausing)) {
  static ws::Inflater inflater;
  const ws::Inflation inflation{inflater, 64 * 1024};
  Bytes frames;
  Events expected;
  for (const Bytes& text : *rc::gen::container<std::vector<Bytes>>(any_text())) {
    const Bytes payload = ws::testing::deflated(text);
    const size_t middle = payload.size() / 2;
    ws::append_masked_frame(frames, ws::Opcode::kText, payload.substr(0, middle), 0x5eed, false,
                            true);
    ws::append_masked_frame(frames, ws::Opcode::kContinuation, payload.substr(middle), 0x5eed);
    expected.emplace_back("fragment()");
    expected.push_back("text(" + text + ")");
  }
  const auto pieces = pieces_of(frames, *any_cuts());
  RC_ASSERT(told({}, true, pieces, pausing, &inflation) == expected);
  // Damaged, it is not known what it says, but it says the same at any cuts.
  const Bytes wrong = damaged(frames, *some_damage());
  RC_ASSERT(told({}, true, pieces_of(wrong, *any_cuts()), pausing, &inflation) ==
            told({}, true, {wrong}, false, &inflation));
}

RC_GTEST_PROP(WebSocketProperty, WhatIsDeflatedInflates, (bool repetitive)) {
  const Bytes message = repetitive ? *text_of("ab") + *text_of("ab") : *any_bytes();
  const auto window = *rc::gen::elementOf(ws::kServerWindows);
  ws::Deflater deflater(*rc::gen::inRange(1, 10), window);
  Bytes payload;
  if (!deflater.deflate(message, payload)) return RC_ASSERT(payload.empty());
  RC_ASSERT(payload.size() < message.size());
  ws::Inflater inflater;
  Bytes again;
  RC_ASSERT(inflater.inflate(payload, message.size(), again).has_value());
  RC_ASSERT(again == message);
}

}  // namespace
}  // namespace parley::testing
