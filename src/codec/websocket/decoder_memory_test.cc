// What a peer can make the decoder hold, measured at the allocator.
#include <algorithm>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>
#include <malloc.h>

#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"

namespace {

struct Heap {
  size_t live = 0;
  size_t peak = 0;
  size_t allocations = 0;
};
Heap heap;

void* allocate(size_t size) {
  void* block = std::malloc(size);
  if (!block) std::abort();
  heap.live += malloc_usable_size(block);
  heap.peak = std::max(heap.peak, heap.live);
  ++heap.allocations;
  return block;
}

void release(void* block) {
  if (block) heap.live -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, size_t) noexcept { release(block); }
void operator delete[](void* block, size_t) noexcept { release(block); }

namespace parley::codec::websocket {
namespace {

class CountingSink final : public MessageSink {
 public:
  void on_message(bool, ByteView payload) override {
    ++messages;
    last_size = payload.size();
    last_data = payload.data();
  }
  void on_ping(ByteView) override { ++controls; }
  void on_pong(ByteView) override { ++controls; }
  void on_close(uint16_t, ByteView) override { ++controls; }
  void on_fragment() override { ++fragments; }

  size_t messages = 0, controls = 0, fragments = 0, last_size = 0;
  const char* last_data = nullptr;
};

class DecoderMemory : public ::testing::Test {
 protected:
  void SetUp() override { heap.peak = heap.live, heap.allocations = 0, base_ = heap.live; }
  size_t peak_growth() const { return heap.peak - base_; }

  size_t base_ = 0;
};

std::string masked(Opcode opcode, ByteView payload, bool fin = true) {
  Buffer out;
  append_masked_frame(out, opcode, payload, 0x01020304, fin);
  return out;
}

static_assert(sizeof(Decoder) <= 64);

TEST_F(DecoderMemory, AMessageThatCameWholeIsNeitherCopiedNorAllocatedFor) {
  std::string input = masked(Opcode::kText, std::string(5000, 'x')) + masked(Opcode::kPing, "p") +
                      masked(Opcode::kBinary, std::string(500, 'y')) + masked(Opcode::kClose, "");
  CountingSink sink;
  Decoder decoder;
  heap.allocations = 0;
  ASSERT_TRUE(decoder.decode(input, sink));
  EXPECT_EQ(heap.allocations, 0u);
  EXPECT_EQ(sink.messages, 2u);
  EXPECT_EQ(sink.controls, 2u);
  EXPECT_GE(sink.last_data, input.data());
  EXPECT_LT(sink.last_data, input.data() + input.size());
}

TEST_F(DecoderMemory, AnAnnouncedSizeCostsNothing) {
  CountingSink sink;
  Decoder decoder({.message_bytes = size_t{2} << 30});
  std::string announced = "\x82\xff";
  announced.append({0, 0, 0, 0, 0x40, 0, 0, 0}).append("mask").append("1");
  ASSERT_TRUE(decoder.decode(announced, sink));
  EXPECT_LT(peak_growth(), 1024u);
  EXPECT_LT(decoder.held_bytes(), 1024u);
}

TEST_F(DecoderMemory, AFloodOfEmptyFragmentsCostsNothingAndIsEnded) {
  CountingSink sink;
  Decoder decoder({.message_bytes = 100, .empty_fragments = 60'000});
  std::string start = masked(Opcode::kText, "", false);
  ASSERT_TRUE(decoder.decode(start, sink));
  const std::string empty = masked(Opcode::kContinuation, "", false);
  for (int i = 0; i < 1'000'000; ++i) {
    std::array<char, 6> piece;
    std::ranges::copy(empty, piece.begin());
    const auto taken = decoder.decode(piece, sink);
    ASSERT_EQ(taken.has_value(), i != 59'999) << i;
  }
  EXPECT_EQ(sink.fragments, 60'000u);
  EXPECT_LT(peak_growth(), 1024u);
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST_F(DecoderMemory, TinyFragmentsCostTheirPayload) {
  // Autobahn 9.3.1: 65,536 fragments of 64 bytes, which is 4 MiB.
  CountingSink sink;
  constexpr size_t kTotal = size_t{4} << 20;
  Decoder decoder({.message_bytes = kTotal});
  const std::string payload(64, 'x');
  const std::string first = masked(Opcode::kText, payload, false);
  const std::string next = masked(Opcode::kContinuation, payload, false);
  const std::string last = masked(Opcode::kContinuation, payload, true);
  for (int i = 0; i < 65536; ++i) {
    std::string piece = i == 0 ? first : i == 65535 ? last : next;
    ASSERT_TRUE(decoder.decode(piece, sink));
  }
  EXPECT_EQ(sink.last_size, kTotal);
  EXPECT_LE(peak_growth(), kTotal + 33 * 1024);  // what it outgrew last, and what is beside it
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST_F(DecoderMemory, AMessageInPartsTakesTheLimitAndAQuarterWhileItGrows) {
  CountingSink sink;
  Decoder decoder;
  std::string first = masked(Opcode::kBinary, "x", false);
  ASSERT_TRUE(decoder.decode(first, sink));
  for (int i = 0; i < 1023; ++i) {
    std::string next = masked(Opcode::kContinuation, std::string(64, 'x'), false);
    ASSERT_TRUE(decoder.decode(next, sink));
  }
  EXPECT_LE(peak_growth(), 81 * 1024u);  // 16 + 64, and what is beside it
  EXPECT_LE(decoder.held_bytes(), 65 * 1024u);
}

TEST_F(DecoderMemory, AnEndlessMessageEndsAtTheLimit) {
  CountingSink sink;
  Decoder decoder({.message_bytes = 1000});
  std::string first = masked(Opcode::kBinary, "x", false);
  ASSERT_TRUE(decoder.decode(first, sink));
  size_t sent = 1;
  for (;; ++sent) {
    std::string next = masked(Opcode::kContinuation, "x", false);
    const auto consumed = decoder.decode(next, sink);
    if (consumed) continue;
    EXPECT_EQ(consumed.error().code, CloseCode::kMessageTooBig);
    break;
  }
  EXPECT_EQ(sent, 1000u);
  EXPECT_EQ(decoder.held_bytes(), 0u);
}

TEST_F(DecoderMemory, HoldsNothingBetweenMessages) {
  CountingSink sink;
  Decoder decoder;
  const std::string input =
      masked(Opcode::kText, std::string(300, 'a')) + masked(Opcode::kPing, "ping");
  const size_t before = heap.live;
  for (int round = 0; round < 3; ++round) {
    for (const char byte : input) {
      char piece = byte;
      ASSERT_TRUE(decoder.decode({&piece, 1}, sink));
    }
    EXPECT_EQ(decoder.held_bytes(), 0u);
  }
  EXPECT_EQ(sink.messages, 3u);
  EXPECT_EQ(heap.live, before);
}

}  // namespace
}  // namespace parley::codec::websocket
