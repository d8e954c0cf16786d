#include "session/outbox.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

class Bracketed final : public Framing {
 public:
  void frame(MessageType type, Buffer& out, size_t start) const override {
    out.insert(start, type == MessageType::kText ? "<" : "[");
    out.append(">");
  }
};

class FrameQueueTest : public ::testing::Test {
 protected:
  void append(std::string_view message, Barrier barrier = {}) {
    queue_.append(MessageType::kText, message, framing_, barrier);
  }
  Bracketed framing_;
  FrameQueue queue_;
};

TEST_F(FrameQueueTest, KeepsFramesApartAndInOrder) {
  append("a");
  queue_.append(MessageType::kBinary, "bc", framing_, {7, 9});
  ASSERT_EQ(queue_.frames(), 2u);
  EXPECT_EQ(queue_.frame(0), "<a>");
  EXPECT_EQ(queue_.frame(1), "[bc>");
  EXPECT_EQ(queue_.barrier(1).handle, 7u);
  EXPECT_EQ(queue_.barrier(1).offset, 9u);
  EXPECT_EQ(queue_.size(), 7u);
  queue_.pop();
  EXPECT_EQ(queue_.size(), 4u);
  EXPECT_EQ(queue_.frame(0), "[bc>");
  append("d");
  EXPECT_EQ(queue_.frame(1), "<d>");
  queue_.pop();
  queue_.pop();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.size(), 0u);
  append("e");
  EXPECT_EQ(queue_.frame(0), "<e>");
}

TEST_F(FrameQueueTest, FramesGoTogetherAndMayBeBrokenOffAnywhere) {
  for (size_t before = 0; before < 3; ++before)
    for (size_t n = 1; n < 12; ++n) {
      queue_ = {};
      for (size_t i = 0; i < before; ++i) append("gone");
      for (const char* message : {"a", "bc", "def"}) append(message);
      if (before > 0) queue_.pop(before);
      const std::string all = "<a><bc><def>";
      ASSERT_EQ(queue_.frames_from(0, 3), all);
      ASSERT_EQ(queue_.frames_from(1, 2), all.substr(3));
      Buffer rest = "old";
      queue_.pop_bytes(n, rest);
      const size_t whole = n <= 3 ? 3 : n <= 7 ? 7 : 12;
      ASSERT_EQ(rest, all.substr(n, whole - n)) << n;
      ASSERT_EQ(queue_.size(), all.size() - whole) << n;
      if (!queue_.empty()) {
        ASSERT_EQ(queue_.frames_from(0, queue_.frames()), all.substr(whole));
      }
    }
}

TEST_F(FrameQueueTest, DoesNotKeepWhatWasSent) {
  const std::string message(100, 'x');
  append(message);
  for (int i = 0; i < 100'000; ++i) {
    append(message);
    ASSERT_EQ(queue_.frame(0).size(), 102u);
    queue_.pop();
    ASSERT_EQ(queue_.size(), 102u);
  }
  EXPECT_LT(queue_.capacity(), 64u * 1024);
}

TEST_F(FrameQueueTest, LiftsBarriers) {
  append("a", {1, 10});
  append("b", {1, 10});
  append("c", {2, 20});
  queue_.pop();
  queue_.lift_barriers(1);
  EXPECT_EQ(queue_.barrier(0).handle, 0u);
  EXPECT_EQ(queue_.barrier(1).handle, 2u);
  queue_.lift_barriers(0);
  EXPECT_EQ(queue_.barrier(1).handle, 0u);
}

TEST(Outbox, CountsWhatWaitsButNotTheRestOfAFrame) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.rest = "rest";
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.waiting(), 0u);
  outbox.urgent.append(MessageType::kText, "p", Bracketed(), {});
  EXPECT_EQ(outbox.waiting(), 3u);
}

}  // namespace
}  // namespace parley::session
