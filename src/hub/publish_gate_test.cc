#include "hub/publish_gate.h"

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::MetricDelta;
using Kind = Backlog::Kind;

constexpr ShardId kHome = 0;
constexpr ShardId kOther = 1;

class PublishGateTest : public ::testing::Test, private PublishGate::Outcome {
 protected:
  PublishGateTest() {
    options_->overflow = {.policy = OverflowPolicy::kBlock, .max_bytes = 100'000};
  }
  void admit(PublishGate::Publish publish, const Now&) override {
    log_ += " +" + std::to_string(publish.waiter);
  }
  void refuse(const PublishGate::Asked& asked, HubError why) override {
    log_ += (why == HubError::kRevoked ? " x" : " -") + std::to_string(asked.waiter);
  }
  // Goes on at once, or waits: then "?". Refused at once: "-".
  std::string publish(uint64_t waiter, uint32_t who = 7, ShardId from = kHome, size_t bytes = 10,
                      const std::string& channel = "a") {
    PublishRecord record{.channel = {channel}};
    record.options = options_;
    record.publication = std::make_unique<Publication>();
    record.publication->data.assign(bytes, 'x');
    const std::string before = std::exchange(log_, {});
    const bool held = gate_.hold({from, {who, 0}, waiter}, record, now_);
    const std::string seen = std::exchange(log_, before);
    return !held ? "+" : seen.empty() ? "?" : "-";
  }
  void note(Kind kind, uint32_t one = 0, ShardId from = kHome, const std::string& channel = "a") {
    gate_.note(channel, from, {.kind = kind, .one = {one, 0}}, now_);
  }
  // What became of those that waited.
  std::string turn(Duration after = {}) {
    now_.mono += after;
    gate_.turn(now_);
    gate_.end_turn();
    waiting_ = gate_.waiting();
    return std::exchange(log_, {});
  }

  std::shared_ptr<ChannelOptions> options_ = std::make_shared<ChannelOptions>();
  Now now_{.mono = Time(seconds(100))};
  PublishGate gate_{*this, kHome, {.publishes = 24, .bytes = 80'000, .of_shard = 8}};
  std::string log_;
  bool waiting_ = false;
};

TEST_F(PublishGateTest, NobodyWaitsForNobody) {
  EXPECT_EQ(publish(1), "+");
  note(Kind::kNobody);
  EXPECT_EQ(publish(2), "+");
  EXPECT_EQ(turn(), "");
  EXPECT_FALSE(waiting_);
}

TEST_F(PublishGateTest, GoesOnInOrderWhenTheReaderHasReadOn) {
  note(Kind::kMany);
  EXPECT_EQ(publish(1, 7), "?");
  EXPECT_EQ(publish(2, 8), "?");
  EXPECT_EQ(publish(3, 7, kHome, 10, "b"), "+") << "another channel";
  EXPECT_EQ(turn(milliseconds(100)), "");
  EXPECT_TRUE(waiting_);
  note(Kind::kNobody);
  EXPECT_EQ(publish(4, 9), "?") << "not before those that came earlier";
  EXPECT_EQ(turn(), " +1 +2 +4");
  EXPECT_FALSE(waiting_);
  EXPECT_EQ(publish(5), "+");
}

TEST_F(PublishGateTest, IsRefusedWhenItHasWaitedForLong) {
  const MetricDelta late(R"(parley_publishes_blocked_total{outcome="timeout"})");
  note(Kind::kMany);
  EXPECT_EQ(publish(1), "?");
  EXPECT_EQ(turn(milliseconds(600)), "");
  note(Kind::kMany);
  EXPECT_EQ(publish(2), "?");
  EXPECT_EQ(turn(milliseconds(399)), "");
  EXPECT_EQ(turn(milliseconds(1)), " -1");
  EXPECT_EQ(turn(milliseconds(600)), " -2");
  EXPECT_EQ(late(), 2);
}

TEST_F(PublishGateTest, NobodyWaitsForItsOwnSubscription) {
  note(Kind::kOne, 7);
  EXPECT_EQ(publish(1, 8), "?");
  EXPECT_EQ(publish(2, 7), "+") << "it would wait for itself";
  EXPECT_EQ(publish(3, 7, kOther), "?") << "of another shard, that is somebody else";
  note(Kind::kOne, 7, kOther);
  EXPECT_EQ(publish(4, 7), "?") << "somebody else is slow too";
}

// Its first one waited while others were slow too.
TEST_F(PublishGateTest, ItsOwnDoNotOvertakeEachOther) {
  note(Kind::kMany);
  EXPECT_EQ(publish(1, 7), "?");
  EXPECT_EQ(publish(2, 8), "?");
  note(Kind::kOne, 7);
  EXPECT_EQ(publish(3, 7), "?");
  EXPECT_EQ(turn(), " +1 +3");
  EXPECT_EQ(publish(4, 7), "+");
  note(Kind::kNobody);
  EXPECT_EQ(turn(), " +2");
}

TEST_F(PublishGateTest, AWordThatIsNotRepeatedIsNotBelieved) {
  options_->overflow.max_wait = seconds(5);
  note(Kind::kMany);
  EXPECT_EQ(publish(1), "?");
  EXPECT_EQ(turn(milliseconds(1500)), "");
  note(Kind::kMany);
  EXPECT_EQ(turn(milliseconds(1999)), "");
  EXPECT_EQ(turn(milliseconds(1)), " +1");
  note(Kind::kMany);
  now_.mono += seconds(2);
  EXPECT_EQ(publish(2), "+");
}

TEST_F(PublishGateTest, EachShardSpeaksForItself) {
  note(Kind::kMany);
  note(Kind::kMany, 0, kOther);
  EXPECT_EQ(publish(1), "?");
  note(Kind::kNobody);
  EXPECT_EQ(turn(), "");
  gate_.forget("a", kOther);
  EXPECT_EQ(turn(), " +1");
}

TEST_F(PublishGateTest, FewMayWaitForOneChannel) {
  const MetricDelta full(R"(parley_publishes_blocked_total{outcome="no_room"})");
  note(Kind::kMany);
  for (int i = 1; i <= 6; ++i) EXPECT_EQ(publish(1), "?");
  EXPECT_EQ(publish(7), "-");
  note(Kind::kNobody);
  turn();
  EXPECT_EQ(full(), 1);
  note(Kind::kMany);
  EXPECT_EQ(publish(8, 7, kHome, 80'001), "-");
  EXPECT_EQ(publish(9), "?");
}

// Each holds a credit of its shard, which its other requests need.
TEST_F(PublishGateTest, FewerOfAnotherShard) {
  note(Kind::kMany);
  EXPECT_EQ(publish(1, 7, kOther), "?");
  EXPECT_EQ(publish(2, 7, kOther), "?");
  EXPECT_EQ(publish(3, 7, kOther), "-");
  EXPECT_EQ(publish(4, 7, kHome), "?");
  note(Kind::kNobody);
  turn();
  note(Kind::kMany);
  EXPECT_EQ(publish(5, 7, kOther), "?");
}

// One channel takes a quarter at most, so that others have their place.
TEST_F(PublishGateTest, FewMayWaitForAllChannels) {
  for (const char* channel : {"a", "b", "c", "d", "e"}) note(Kind::kMany, 0, kHome, channel);
  for (const char* channel : {"a", "b", "c", "d"}) {
    for (int i = 1; i <= 6; ++i) EXPECT_EQ(publish(1, 7, kHome, 10, channel), "?");
    EXPECT_EQ(publish(7, 7, kHome, 10, channel), "-");
  }
  EXPECT_EQ(publish(8, 7, kHome, 10, "e"), "-") << "24 wait";
}

TEST_F(PublishGateTest, NorDoesOneTakeAllOfAShards) {
  for (const char* channel : {"a", "b", "c", "d", "e"}) note(Kind::kMany, 0, kHome, channel);
  for (const char* channel : {"a", "b", "c", "d"}) {
    EXPECT_EQ(publish(1, 7, kOther, 10, channel), "?");
    EXPECT_EQ(publish(2, 7, kOther, 10, channel), "?");
    EXPECT_EQ(publish(3, 7, kOther, 10, channel), "-");
  }
  EXPECT_EQ(publish(4, 7, kOther, 10, "e"), "-") << "8 wait";
}

// They hold the credits of their shard for a turn or two only.
TEST_F(PublishGateTest, WhileNobodyIsSlowMoreMayWaitForTheirTurn) {
  options_->overflow.max_bytes = 3'000;
  const size_t half = 3'000 / 2 - sizeof(Publication);
  EXPECT_EQ(publish(1, 7, kOther, half), "+");
  EXPECT_EQ(publish(2, 7, kOther, half), "+");
  for (uint64_t waiter = 3; waiter <= 6; ++waiter) EXPECT_EQ(publish(waiter, 7, kOther, half), "?");
  EXPECT_EQ(turn(), "") << "the same turn";
  EXPECT_EQ(turn(), " +3 +4");
  note(Kind::kMany);
  EXPECT_EQ(publish(7, 7, kOther, half), "-") << "two of that shard wait for a reader";
}

// All at once would put the reader as far behind as it was.
TEST_F(PublishGateTest, GoesOnInPortions) {
  note(Kind::kMany);
  publish(1, 7, kHome, 5'000);
  publish(2, 7, kHome, 5'000);
  publish(3, 7, kHome, 5'000);
  publish(4, 7, kHome, 1);
  note(Kind::kNobody);
  EXPECT_EQ(turn(), " +1 +2");
  EXPECT_EQ(turn(), " +3 +4");
}

TEST_F(PublishGateTest, ATooLargeOneIsNotOvertaken) {
  options_->overflow.max_bytes = 8;
  note(Kind::kMany);
  publish(1);
  publish(2);
  note(Kind::kNobody);
  EXPECT_EQ(turn(), " +1");
  EXPECT_EQ(turn(), " +2");
}

// Whoever asked may not any more: refused at once, and the place is another's.
TEST_F(PublishGateTest, WhatIsTakenBackIsRefusedWhileItWaits) {
  const MetricDelta revoked(R"(parley_publishes_blocked_total{outcome="revoked"})");
  note(Kind::kMany);
  EXPECT_EQ(publish(1, 7, kOther), "?");
  EXPECT_EQ(publish(2, 8, kOther), "?");
  EXPECT_EQ(publish(1, 9), "?") << "the same waiter, of another shard";
  WithdrawnWaiters waiters;
  waiters.add(1, "");
  waiters.add(2, "another");
  gate_.withdraw(kOther, waiters);
  EXPECT_EQ(std::exchange(log_, {}), " x1");
  note(Kind::kNobody);
  EXPECT_EQ(turn(), " +2 +1");
  EXPECT_EQ(revoked(), 1);
}

}  // namespace
}  // namespace parley::hub
