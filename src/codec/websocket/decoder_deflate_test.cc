// Compressed messages in frames: the table of RFC 7692 6 and 7.2.2, at every cut.
#include <functional>

#include <gtest/gtest.h>

#include "codec/websocket/decoder.h"
#include "codec/websocket/deflate_testing.h"
#include "codec/websocket/trace_sink.h"
#include "tests/support/cuts.h"

namespace parley::codec::websocket {
namespace {

using testing::bomb;
using testing::compressed_frame;
using testing::deflated;
using testing::sample;
using Events = std::vector<std::string>;

constexpr size_t kLimit = 1000;

struct Row {
  std::string name;
  std::string input;
  Events events;
};

std::string frame(Opcode opcode, ByteView payload, bool fin = true) {
  Buffer out;
  append_masked_frame(out, opcode, payload, 0x37fa213d, fin);
  return out;
}
std::string text(ByteView payload, bool fin = true) {
  return compressed_frame(Opcode::kText, payload, fin);
}
std::string binary(ByteView payload, bool fin = true) {
  return compressed_frame(Opcode::kBinary, payload, fin);
}
std::string more(ByteView payload, bool fin) { return frame(Opcode::kContinuation, payload, fin); }
std::string head(int first, size_t size) {
  std::string out;
  for (const int byte : {first, 0xfe, static_cast<int>(size >> 8), static_cast<int>(size & 0xff)})
    out.push_back(static_cast<char>(byte));
  return out + "mask";
}

void run(const std::vector<Row>& rows, size_t inflated_bytes = kLimit) {
  Inflater inflater;
  const Inflation inflation{inflater, inflated_bytes};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    parley::testing::for_each_cut(row.input, [&](const std::vector<std::string_view>& pieces) {
      for (const bool pausing : {false, true}) {
        Decoder decoder({.message_bytes = kLimit}, Role::kServer, &inflation);
        TraceSink sink(pausing ? &decoder : nullptr);
        for (const auto piece : pieces)
          if (!feed(decoder, piece, sink)) break;
        ASSERT_EQ(sink.events(), row.events);
      }
    });
  }
}

TEST(CompressedTable, Messages) {
  const std::string json = sample(600, false, 1);
  const std::string packed = deflated(json);
  const std::string nothing(1, '\0');
  run({
      {"text", text(packed), {"text(" + json + ")"}},
      {"binary", binary(packed), {"bin(" + json + ")"}},
      {"empty", text(nothing) + binary(nothing), {"text()", "bin()"}},
      {"plain ones between",
       text(packed) + frame(Opcode::kText, "plain") + text(packed),
       {"text(" + json + ")", "text(plain)", "text(" + json + ")"}},
      {"two fragments",
       text(packed.substr(0, 20), false) + more(packed.substr(20), true),
       {"fragment()", "text(" + json + ")"}},
      {"an empty fragment at each end",
       text("", false) + more(packed, false) + more("", true),
       {"fragment()", "fragment()", "text(" + json + ")"}},
      {"one byte in each",
       binary("\xf2", false) + more("\x48", false) + more("\xcd", false) + more("\xc9", false) +
           more("\xc9", false) + more("\x07", false) + more(nothing, true),
       {"fragment()", "fragment()", "fragment()", "fragment()", "fragment()", "fragment()",
        "bin(Hello)"}},
      {"control frames between",
       text(packed.substr(0, 9), false) + frame(Opcode::kPing, "p") +
           more(packed.substr(9, 9), false) + frame(Opcode::kPong, "q") +
           more(packed.substr(18), true),
       {"fragment()", "ping(p)", "fragment()", "pong(q)", "text(" + json + ")"}},
      {"closed between",
       text(packed.substr(0, 9), false) + frame(Opcode::kClose, "") + more(packed.substr(9), true),
       {"fragment()", "close(1005,)"}},
      {"a plain message of fragments behind a compressed one",
       text(packed) + frame(Opcode::kText, "a", false) + more("b", true),
       {"text(" + json + ")", "fragment()", "text(ab)"}},
  });
}

TEST(CompressedTable, ReservedBits) {
  const std::string packed = deflated("Hello");
  std::vector<Row> rows = {
      {"on a continuation",
       text(packed.substr(0, 3), false) + compressed_frame(Opcode::kContinuation, packed.substr(3)),
       {"fragment()", "fail(1002)"}},
      {"on a continuation of a plain message",
       frame(Opcode::kText, "a", false) + compressed_frame(Opcode::kContinuation, "b"),
       {"fragment()", "fail(1002)"}},
      {"a compressed message inside a plain one",
       frame(Opcode::kText, "a", false) + text(packed),
       {"fragment()", "fail(1002)"}},
      {"a compressed message inside a compressed one",
       text(packed, false) + text(packed),
       {"fragment()", "fail(1002)"}},
      {"on a continuation of nothing", compressed_frame(Opcode::kContinuation, ""), {"fail(1002)"}},
  };
  for (int opcode = 0; opcode < 16; ++opcode)
    for (const int reserved : {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70}) {
      if (reserved == 0x40 && (opcode == 1 || opcode == 2)) continue;
      rows.push_back({"bits " + std::to_string(reserved) + " on " + std::to_string(opcode),
                      std::string{static_cast<char>(0x80 | reserved | opcode), '\x80'} + "mask",
                      {"fail(1002)"}});
    }
  run(rows);
}

TEST(CompressedTable, WithoutAgreementItIsABrokenFrame) {
  Decoder decoder({.message_bytes = kLimit});
  TraceSink sink;
  EXPECT_FALSE(feed(decoder, text(deflated("Hello")), sink));
  EXPECT_EQ(sink.events(), Events{"fail(1002)"});
}

TEST(CompressedTable, BadContent) {
  const std::string packed = deflated(sample(300, false, 2));
  run({
      {"no deflate data", text("Hello"), {"fail(1007)"}},
      {"nothing at all", text(""), {"fail(1007)"}},
      {"cut short", text(packed.substr(0, 30)), {"fail(1007)"}},
      {"cut short in fragments",
       binary(packed.substr(0, 15), false) + more(packed.substr(15, 15), true),
       {"fragment()", "fail(1007)"}},
      {"text that is not UTF-8", text(deflated("\xff")), {"fail(1007)"}},
      {"text that ends in a character", text(deflated("abc\xe2\x82")), {"fail(1007)"}},
      {"binary that is not UTF-8", binary(deflated("\xff\xfe")), {"bin(\xff\xfe)"}},
      {"a character across fragments",
       text(deflated("\xe2\x82\xac").substr(0, 2), false) +
           more(deflated("\xe2\x82\xac").substr(2), true),
       {"fragment()", "text(\xe2\x82\xac)"}},
  });
}

TEST(CompressedTable, Limits) {
  const std::string at(kLimit, 'a'), over(kLimit + 1, 'a');
  const std::string noise = sample(kLimit, true, 3);
  const std::string packed_noise = deflated(noise);
  ASSERT_GT(packed_noise.size(), kLimit);
  run({
      {"at the limit", text(deflated(at)), {"text(" + at + ")"}},
      {"over the limit", text(deflated(over)), {"fail(1009)"}},
      {"over in fragments",
       text(deflated(over).substr(0, 3), false) + more(deflated(over).substr(3), true),
       {"fragment()", "fail(1009)"}},
      {"noise at the limit is longer on the wire", binary(packed_noise), {"bin(" + noise + ")"}},
      {"bomb", binary(bomb(1 << 20).substr(0, 900)), {"fail(1009)"}},
      {"bomb in fragments",
       binary(bomb(1 << 20).substr(0, 400), false) + more(bomb(1 << 20).substr(400, 500), true),
       {"fragment()", "fail(1009)"}},
      {"too long on the wire, told by the header", head(0xc1, 1080), {"fail(1009)"}},
      {"a plain message has no such room", head(0x81, kLimit + 1), {"fail(1009)"}},
      {"fragments too long on the wire",
       binary(std::string(1000, '\0'), false) + head(0x80, 200),
       {"fragment()", "fail(1009)"}},
  });
  run({{"inflated it may be more", text(deflated(over)), {"text(" + over + ")"}}}, 2 * kLimit);
  run({{"inflated it may be less", text(deflated(at)), {"fail(1009)"}}}, kLimit - 1);
}

TEST(CompressedTable, AnOpenMessageHoldsWhatCameAndNoMore) {
  Inflater inflater;
  const Inflation inflation{inflater, 1 << 20};
  Decoder decoder({.message_bytes = 1 << 20}, Role::kServer, &inflation);
  TraceSink sink;
  const std::string packed = bomb(1 << 20);
  ASSERT_TRUE(feed(decoder, binary(ByteView(packed).substr(0, 500), false), sink));
  EXPECT_LT(decoder.held_bytes(), 1500u);
  ASSERT_TRUE(feed(decoder, more(ByteView(packed).substr(500), true), sink));
  EXPECT_EQ(decoder.held_bytes(), 0u);
  EXPECT_EQ(sink.events().back().size(), (1u << 20) + 5);
}

}  // namespace
}  // namespace parley::codec::websocket
