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
