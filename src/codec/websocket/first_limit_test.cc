// What a peer may send before the decoder's owner knows it, and from then on, at every cut.
#include <gtest/gtest.h>

#include "codec/websocket/decoder.h"
#include "codec/websocket/deflate_testing.h"
#include "codec/websocket/encoder.h"
#include "tests/support/cuts.h"

namespace parley::codec::websocket {
namespace {

constexpr size_t kBefore = 40;
constexpr size_t kAfter = 100;
constexpr size_t kAfterInflated = 200;

// Raises the limit when the peer says "known", as a session does on its connect.
class KnowingSink final : public MessageSink {
 public:
  explicit KnowingSink(Decoder& decoder) : decoder_(decoder) {}
  void on_message(bool, ByteView payload) override {
    sizes.push_back(payload.size());
    if (payload == "known") decoder_.raise_limit(kAfter);
  }
  void on_ping(ByteView) override {}
  void on_pong(ByteView) override {}
  void on_close(uint16_t, ByteView) override {}
  void on_fragment() override {
    if (raise_on_fragment) decoder_.raise_limit(kAfter);
  }

  bool raise_on_fragment = false;
  std::vector<size_t> sizes;

 private:
  Decoder& decoder_;
};

std::string plain(size_t size) {
  Buffer out;
  append_masked_frame(out, Opcode::kBinary, std::string(size, 'x'), 0x37fa213d);
  return out;
}
std::string part(Opcode opcode, size_t size, bool fin) {
  Buffer out;
  append_masked_frame(out, opcode, std::string(size, 'x'), 0x37fa213d, fin);
  return out;
}
std::string packed(size_t size) {
  return testing::compressed_frame(Opcode::kBinary, testing::deflated(std::string(size, 'x')));
}
std::string known() {
  Buffer out;
  append_masked_frame(out, Opcode::kText, "known", 0x37fa213d);
  return out;
}

struct Case {
  std::string name;
  std::string input;
  std::vector<size_t> sizes;  // of the messages
  bool fails;
  bool raise_on_fragment = false;
};

void run_first(const std::vector<Case>& cases) {
  Inflater inflater;
  const Inflation inflation{inflater, kAfterInflated};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    parley::testing::for_each_cut(one.input, [&](const std::vector<std::string_view>& pieces) {
      Decoder decoder({.message_bytes = kAfter, .first_message_bytes = kBefore}, Role::kServer,
                      &inflation);
      KnowingSink sink(decoder);
      sink.raise_on_fragment = one.raise_on_fragment;
      bool failed = false;
      for (const auto piece : pieces) {
        std::vector<char> bytes(piece.begin(), piece.end());
        const auto taken = decoder.decode(bytes, sink);
        if (taken) continue;
        EXPECT_EQ(taken.error().code, CloseCode::kMessageTooBig);
        failed = true;
        break;
      }
      ASSERT_EQ(failed, one.fails);
      ASSERT_EQ(sink.sizes, one.sizes);
    });
  }
}

TEST(FirstLimit, HoldsUntilItIsRaised) {
  const std::string first = part(Opcode::kBinary, 30, false);
  run_first({
      {"as long as it may be", plain(kBefore), {kBefore}, false},
      {"a byte more", plain(kBefore + 1), {}, true},
      {"each may be", plain(kBefore) + plain(kBefore), {kBefore, kBefore}, false},
      {"in fragments", first + part(Opcode::kContinuation, 10, true), {kBefore}, false},
      {"a byte more in fragments", first + part(Opcode::kContinuation, 11, true), {}, true},
      {"compressed", packed(kBefore), {kBefore}, false},
      {"a byte more comes of it", packed(kBefore + 1), {}, true},
  });
}

TEST(FirstLimit, FromTheNextMessageOnTheUsualLimitHolds) {
  run_first({
      {"behind it in the same bytes", known() + plain(kAfter), {5, kAfter}, false},
      {"... and no more", known() + plain(kAfter + 1), {5}, true},
      {"in fragments",
       known() + part(Opcode::kBinary, 60, false) + part(Opcode::kContinuation, 40, true),
       {5, kAfter},
       false},
      {"compressed", known() + packed(kAfterInflated), {5, kAfterInflated}, false},
      {"a byte more comes of it", known() + packed(kAfterInflated + 1), {5}, true},
  });
}

TEST(FirstLimit, MayBeRaisedInTheMiddleOfAMessage) {
  const std::string first = part(Opcode::kBinary, 30, false);
  run_first({
      {"up to the limit", first + part(Opcode::kContinuation, 70, true), {kAfter}, false, true},
      {"no further", first + part(Opcode::kContinuation, 71, true), {}, true, true},
  });
}

TEST(FirstLimit, IsNoneWhereTheOtherIsLess) {
  Decoder decoder({.message_bytes = kBefore, .first_message_bytes = kAfter});
  EXPECT_FALSE(decoder.at_first_limit());
  KnowingSink sink(decoder);
  std::string input = plain(kBefore + 1);
  EXPECT_FALSE(decoder.decode(input, sink));
}

}  // namespace
}  // namespace parley::codec::websocket
