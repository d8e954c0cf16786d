#include "codec/websocket/encoder.h"

#include <random>

#include <gtest/gtest.h>

#include "codec/websocket/trace_sink.h"
#include "tests/support/cuts.h"

namespace parley::codec::websocket {
namespace {

using Events = std::vector<std::string>;

TEST(Mask, EqualsTheFormulaAtEveryLengthAndOffset) {
  const MaskKey key = {'\x37', '\xfa', '\x21', '\x3d'};
  for (size_t offset = 0; offset < 5; ++offset) {
    for (size_t length = 0; length < 40; ++length) {
      std::string payload(length, 'q');
      apply_mask(payload, key, offset);
      for (size_t i = 0; i < length; ++i) ASSERT_EQ(payload[i], 'q' ^ key[(offset + i) % 4]);
    }
  }
}

TEST(Encoder, HeaderIsMinimalAtEachBorder) {
  const struct {
    uint64_t length;
    std::string expected;
  } cases[] = {
      {0, std::string("\x82\x00", 2)},
      {125, "\x82\x7d"},
      {126, std::string("\x82\x7e\x00\x7e", 4)},
      {65535, "\x82\x7e\xff\xff"},
      {65536, std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10)},
      {uint64_t{1} << 40, std::string("\x82\x7f\0\0\1\0\0\0\0\0", 10)},
  };
  for (const auto& c : cases) {
    Buffer out = "before";
    append_frame_header(out, Opcode::kBinary, c.length);
    EXPECT_EQ(out, "before" + c.expected);
    EXPECT_EQ(frame_header(Opcode::kBinary, c.length).view(), c.expected);
  }
}

TEST(Encoder, VectorsOfRfc6455) {
  Buffer out;
  append_frame(out, Opcode::kText, "Hello");
  EXPECT_EQ(out, "\x81\x05Hello");
  out.clear();
  append_masked_frame(out, Opcode::kText, "Hello", 0x37fa213d);
  EXPECT_EQ(out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  out.clear();
  append_frame(out, Opcode::kText, "Hel", false);
  append_frame(out, Opcode::kContinuation, "lo");
  EXPECT_EQ(out, "\x01\x03Hel\x80\x02lo");
}

Events decode_as_client(ByteView bytes) {
  Decoder decoder({}, Role::kClient);
  TraceSink sink;
  feed(decoder, bytes, sink);
  return sink.events();
}

TEST(Encoder, Close) {
  const std::string euros = [] {
    std::string out;
    for (int i = 0; i < 50; ++i) out += "\xe2\x82\xac";
    return out;
  }();
  const struct {
    uint16_t code;
    std::string reason, event;
  } cases[] = {
      {1000, "", "close(1000,)"},
      {1001, "bye", "close(1001,bye)"},
      {4999, std::string(200, 'a'), "close(4999," + std::string(123, 'a') + ")"},
      {3000, euros, "close(3000," + euros.substr(0, 123) + ")"},
      {3000, "a" + euros, "close(3000,a" + euros.substr(0, 120) + ")"},
      {1000, "\xff", "close(1000,)"},
      {1005, "x", "close(1005,)"},
      {1006, "x", "close(1005,)"},
      {0, "x", "close(1005,)"},
      {65535, "x", "close(1005,)"},
  };
  for (const auto& c : cases) {
    Buffer out;
    append_close(out, c.code, c.reason);
    EXPECT_LE(out.size(), 127u);
    EXPECT_EQ(decode_as_client(out), Events{c.event});
  }
  Buffer out;
  append_close(out, CloseCode::kTryAgainLater, "later");
  EXPECT_EQ(decode_as_client(out), Events{"close(1013,later)"});
}

TEST(Encoder, RandomMessagesComeBackThroughRandomCuts) {
  std::mt19937 rng(7);
  const size_t sizes[] = {0, 1, 7, 8, 9, 125, 126, 127, 300};
  for (int round = 0; round < 40; ++round) {
    Buffer wire;
    Events expected;
    for (int n = 0; n < 4; ++n) {
      std::string payload(sizes[rng() % std::size(sizes)], '\0');
      for (char& c : payload) c = static_cast<char>(rng());
      const size_t cut = rng() % (payload.size() + 1);
      expected.push_back("bin(" + payload + ")");
      if (rng() % 2) {
        append_masked_frame(wire, Opcode::kBinary, payload, static_cast<uint32_t>(rng()));
        continue;
      }
      expected.insert(expected.end() - 1, "fragment()");
      append_masked_frame(wire, Opcode::kBinary, payload.substr(0, cut), 1, false);
      append_masked_frame(wire, Opcode::kContinuation, payload.substr(cut), 0xfffefdfc);
    }
    testing::for_each_cut(wire, [&](const std::vector<std::string_view>& pieces) {
      Decoder decoder;
      TraceSink sink;
      for (const auto piece : pieces) ASSERT_TRUE(feed(decoder, piece, sink));
      ASSERT_EQ(sink.events(), expected);
    });
  }
}

}  // namespace
}  // namespace parley::codec::websocket
