// Inflater and Deflater: round trips, damage, bombs.
#include <gtest/gtest.h>

#include "codec/websocket/deflate_terms.h"
#include "codec/websocket/deflate_testing.h"
#include "codec/websocket/deflater.h"
#include "codec/websocket/inflater.h"

namespace parley::codec::websocket {
namespace {

using testing::bomb;
using testing::ClientDeflater;
using testing::deflated;
using testing::sample;

constexpr size_t kRoomy = 1 << 20;
const std::string kInvalid = "(invalid)", kTooBig = "(too big)";

std::string inflated(ByteView payload, size_t limit = kRoomy) {
  Inflater inflater;
  Buffer out;
  const auto result = inflater.inflate(payload, limit, out);
  if (result) return out;
  return result.error() == InflateFault::kInvalid ? kInvalid : kTooBig;
}
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

TEST(Inflater, ExamplesOfRfc7692) {
  // 7.2.3.1 to 7.2.3.6.
  const std::string one = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  EXPECT_EQ(inflated(one), "Hello");
  EXPECT_EQ(inflated(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})),
            "Hello");                                                                     // stored
  EXPECT_EQ(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), "Hello");  // final
  EXPECT_EQ(inflated(bytes(
                {0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})),
            "Hello");                      // two blocks
  EXPECT_EQ(inflated(bytes({0x00})), "");  // nothing
  // 7.2.3.2: the second message of a sender with context refers to the first.
  EXPECT_EQ(inflated(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})), kInvalid);
}

TEST(Inflater, FinalBlocks) {
  const std::string ended = deflated("one", Z_FINISH);
  EXPECT_EQ(inflated(ended), "one");
  EXPECT_EQ(inflated(ended + bytes({0})), "one");
  EXPECT_EQ(inflated(ended + deflated("two")), "onetwo");
  EXPECT_EQ(inflated(ended + ended + ended), "oneoneone");
  EXPECT_EQ(inflated(ended + bytes({7})), kInvalid);
}

TEST(Inflater, WhatIsNoDeflateData) {
  EXPECT_EQ(inflated(""), kInvalid);
  EXPECT_EQ(inflated("Hello"), kInvalid);
  EXPECT_EQ(inflated(bytes({0xff, 0xff, 0xff})), kInvalid);
  EXPECT_EQ(inflated(bytes({0x06})), kInvalid);                          // no such kind of block
  EXPECT_EQ(inflated(bytes({0x00, 0x05, 0x00, 0xfa, 0xfe})), kInvalid);  // lengths disagree
  const std::string whole = deflated(sample(3000, false, 1));
  ASSERT_EQ(inflated(whole), sample(3000, false, 1));
  // Cut anywhere but between two blocks it is invalid, and never another message.
  for (size_t size = 1; size < whole.size(); ++size)
    EXPECT_EQ(inflated(ByteView(whole).substr(0, size)), kInvalid) << size;
  EXPECT_EQ(inflated("\x01" + whole), kInvalid);
}

TEST(Inflater, TheLimitIsExact) {
  for (const size_t size : {0u, 1u, 100u, 16383u, 16384u, 16385u, 32768u, 100000u}) {
    const std::string message = sample(size, false, 2);
    const std::string payload = deflated(message);
    EXPECT_EQ(inflated(payload, size), message);
    EXPECT_EQ(inflated(payload, size + 1), message);
    if (size == 0) continue;
    EXPECT_EQ(inflated(payload, size - 1), kTooBig) << size;
  }
}

TEST(Inflater, BombsStopAtTheLimit) {
  constexpr size_t kLimit = 64 * 1024;
  Inflater inflater;
  const std::string simple = bomb(64 << 20);
  ASSERT_LT(simple.size(), 70000u);
  // Of final blocks, each a stream of its own; of empty ones, which produce nothing.
  std::string restarting, empty;
  while (restarting.size() < kLimit) restarting += deflated(std::string(4096, 'x'), Z_FINISH);
  while (empty.size() < kLimit) empty += bytes({0, 0, 0, 0xff, 0xff, 3, 0});
  for (const std::string& payload : {simple, simple.substr(0, 1024), restarting}) {
    Buffer out;
    const auto result = inflater.inflate(payload, kLimit, out);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), InflateFault::kTooBig);
    EXPECT_EQ(out.size(), kLimit + 1);
    EXPECT_LE(out.capacity(), 2 * kLimit + 2);
  }
  Buffer out;
  EXPECT_TRUE(inflater.inflate(empty, kLimit, out));
  EXPECT_EQ(out, "");
  // A bomb in a bomb is data like any other.
  EXPECT_EQ(inflated(deflated(simple)), simple);
}

TEST(Inflater, NothingIsLeftForTheNextMessage) {
  Inflater inflater;
  ClientDeflater keeping;
  const std::string first = sample(2000, false, 3);
  const std::string payload = keeping.deflate(first), leaning = keeping.deflate(first);
  ASSERT_LT(leaning.size(), 100u);
  for (int round = 0; round < 2; ++round) {
    Buffer out;
    EXPECT_TRUE(inflater.inflate(payload, kRoomy, out));
    EXPECT_EQ(out, first);
    out.clear();
    const auto result = inflater.inflate(leaning, kRoomy, out);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), InflateFault::kInvalid);
    EXPECT_EQ(out.find(first.substr(0, 20)), std::string::npos);
    // Nor of a message that broke off in the middle of a block.
    out.clear();
    inflater.inflate(ByteView(payload).substr(0, payload.size() / 2), kRoomy, out);
  }
}

class RoundTrip : public ::testing::TestWithParam<uint8_t> {};
INSTANTIATE_TEST_SUITE_P(Windows, RoundTrip, ::testing::ValuesIn(kServerWindows));

TEST_P(RoundTrip, OfEverySizeAndKind) {
  for (const int level : {1, 6, 9}) {
    Deflater deflater(level, GetParam());
    for (size_t size = 0; size <= 200'000; size += 1 + size / 3) {
      for (const bool noise : {false, true}) {
        const std::string message = sample(size, noise, static_cast<uint32_t>(size) + 1);
        Buffer out = "before";
        const bool smaller = deflater.deflate(message, out);
        if (!smaller) {
          EXPECT_EQ(out, "before");
          EXPECT_TRUE(noise || size < 128) << size;
          continue;
        }
        EXPECT_LT(out.size(), 6 + size);
        ASSERT_EQ(inflated(ByteView(out).substr(6)), message) << size;
      }
    }
  }
}

TEST_P(RoundTrip, FitsTheWindowThatWasAgreed) {
  // A receiver with exactly that window must be able to read it.
  Deflater deflater(9, GetParam());
  const std::string message = sample(150'000, false, 4);
  Buffer payload;
  ASSERT_TRUE(deflater.deflate(message, payload));
  payload.append("\x00\x00\xff\xff", 4);
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, -GetParam()), Z_OK);
  std::string out(message.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(payload.data());
  stream.avail_in = static_cast<uInt>(payload.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  // In small pieces, so that the window and not the output is looked back into.
  for (size_t done = 0; done < out.size(); done += 100) {
    stream.avail_out = static_cast<uInt>(std::min<size_t>(100, out.size() - done));
    ASSERT_EQ(::inflate(&stream, Z_SYNC_FLUSH), Z_OK);
  }
  inflateEnd(&stream);
  EXPECT_EQ(out, message);
}

TEST_P(RoundTrip, MessagesDoNotDependOnEachOther) {
  Deflater deflater(1, GetParam());
  const std::string message = sample(1000, false, 5);
  Buffer first, second;
  ASSERT_TRUE(deflater.deflate(message, first));
  deflater.deflate(sample(100'000, true, 6), second);
  second.clear();
  ASSERT_TRUE(deflater.deflate(message, second));
  EXPECT_EQ(first, second);
}

TEST(Deflater, StopsWhenNothingIsGained) {
  Deflater deflater(1, 15);
  Buffer out;
  for (const std::string_view small : {"", "a", "ab", "Hello", "abcdefghijk"})
    EXPECT_FALSE(deflater.deflate(small, out));
  EXPECT_FALSE(deflater.deflate(sample(200'000, true, 7), out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(deflater.deflate(std::string(20, 'a'), out));
  EXPECT_EQ(inflated(out), std::string(20, 'a'));
}

}  // namespace
}  // namespace parley::codec::websocket
