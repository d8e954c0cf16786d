// What readers are owed while all tails of a shard together are too large: the newest state of a
// channel with `latest`, and what publishers with `block` wait for.
#include "tests/support/metric_delta.h"
#include "tests/support/owed_fixture.h"

namespace parley::hub {
namespace {

using testing::MetricDelta;

// They counted for good, and every feed emptied all other tails.
TEST_F(OwedTest, ManyNewestStatesDoNotTakeTheOthersTails) {
  room_for(64);
  for (size_t channel = 0; channel < 200; ++channel) {
    open(OverflowPolicy::kLatest);
    publish(channel, 1);
  }
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  const MetricDelta spared("parley_tails_spared_total");
  EXPECT_TRUE(others_are_served(first, second));
  EXPECT_LT(spared(), 150);
  EXPECT_LE(bytes(), budget_);
  // The newest that are owed have half of the room, those that are owed longest give first.
  for (size_t channel = 200 - 32; channel < 200; ++channel)
    EXPECT_TRUE(reads_on_to(channel, 1)) << channel;
  EXPECT_EQ(channels_->pull(*subscriptions_[0]).kind, Pull::Kind::kWaiting);
  channels_->on_page(interests_[0], ReadPage{.epoch = testing::kEpochA, .base = 1, .top = 1});
  EXPECT_EQ(channels_->pull(*subscriptions_[0]).gap, (Gap{1, 1, GapReason::kOverflow}));
  for (auto& reader : subscriptions_) reader->advance(100);
  sweep(30);
  EXPECT_EQ(bytes(), 0u);
}

TEST_F(OwedTest, TheNewestStateIsKeptForWhoIsBehindHoweverLongItIsQuiet) {
  room_for(64);
  for (size_t channel = 0; channel < 20; ++channel) {
    open(OverflowPolicy::kLatest);
    for (uint64_t offset = 1; offset <= 3; ++offset) publish(channel, offset);
    if (channel % 2 == 0) subscriptions_[channel]->advance(3);
  }
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  EXPECT_TRUE(others_are_served(first, second));
  sweep(40);
  for (size_t channel = 0; channel < 20; ++channel)
    EXPECT_EQ(tail(channel).empty(), channel % 2 == 0) << channel;
  for (size_t channel = 1; channel < 20; channel += 2) {
    if (tail(channel).base() > 0) {
      EXPECT_EQ(channels_->pull(*subscriptions_[channel]).gap, (Gap{1, 2, GapReason::kConflated}));
    }
    EXPECT_TRUE(reads_on_to(channel, 3)) << channel;
  }
  sweep();
  EXPECT_EQ(bytes(), 0u);
}

// What was owed and is fed again is a tail like any.
TEST_F(OwedTest, WhatIsFedAgainGivesAgain) {
  room_for(64);
  const size_t latest = open(OverflowPolicy::kLatest);
  const size_t other = open(OverflowPolicy::kDropOldest);
  uint64_t offset = 0;
  for (uint64_t round = 1; round <= 20; ++round) {
    for (int i = 0; i < 10; ++i) publish(latest, ++offset);
    for (uint64_t n = 1; n <= 60; ++n) publish(other, (round - 1) * 60 + n);
    EXPECT_LE(bytes(), budget_);
    EXPECT_NE(tail(latest).find(offset), nullptr);
  }
  const uint64_t top = tail(other).top();
  subscriptions_[latest]->advance(offset);
  subscriptions_[other]->advance(top);
  sweep(20);
  EXPECT_EQ(bytes(), 0u);
  // Nothing is left in the count: one tail may have all the room.
  for (uint64_t n = 1; n <= 60; ++n) publish(other, top + n);
  EXPECT_TRUE(reads_on_to(other, top + 60));
}

// The base of a delta is nobody's due.
TEST_F(OwedTest, ABaseGivesWayWhereNobodyIsBehind) {
  room_for(64);
  for (size_t channel = 0; channel < 100; ++channel) {
    open(OverflowPolicy::kLatest, 1000, true);
    publish(channel, 1);
    EXPECT_TRUE(reads_on_to(channel, 1));
  }
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  EXPECT_TRUE(others_are_served(first, second));
  for (size_t channel = 0; channel < 50; ++channel) EXPECT_TRUE(tail(channel).empty()) << channel;
}

// A publish was let go on in the belief that who is no further behind than this is served.
TEST_F(OwedTest, ABusyChannelWithBlockGivesNothingThatIsOwed) {
  room_for(64);
  const size_t quiet = open(OverflowPolicy::kDropOldest);
  const size_t busy = open(OverflowPolicy::kBlock, 50);
  publish(quiet, 1);
  for (uint64_t offset = 1; offset <= 500; ++offset) {
    publish(busy, offset);
    if (offset > 45) {
      ASSERT_TRUE(reads_on_to(busy, offset - 45)) << offset;
    }
  }
  EXPECT_TRUE(reads_on_to(quiet, 1)) << "it gives what nobody needs before it takes of others";
  EXPECT_LE(bytes(), budget_);
}

TEST_F(OwedTest, WithBlockNothingIsLostWhileOthersAreBusy) {
  room_for(64);
  const size_t slow = open(OverflowPolicy::kBlock, 10);
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 30; ++offset) publish(slow, offset);
  subscriptions_[slow]->advance(10);
  EXPECT_TRUE(others_are_served(first, second));
  EXPECT_EQ(tail(slow).base(), 10u) << "nobody needs those before";
  subscriptions_[slow]->advance(20);
  sweep();
  EXPECT_EQ(tail(slow).base(), 20u);
  EXPECT_TRUE(reads_on_to(slow, 30));
  sweep();
  EXPECT_TRUE(tail(slow).empty());
}

TEST_F(OwedTest, WhoIsNotWaitedForAnyMoreIsOwedNothing) {
  room_for(64);
  const size_t slow = open(OverflowPolicy::kBlock, 10);
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 30; ++offset) publish(slow, offset);
  EXPECT_TRUE(others_are_served(first, second));
  EXPECT_TRUE(holds_up());
  sweep(29);
  EXPECT_TRUE(holds_up());
  EXPECT_EQ(tail(slow).base(), 0u);
  sweep();
  EXPECT_FALSE(holds_up());
  EXPECT_TRUE(tail(slow).empty());
}

// The channel was looked at no more, and its publishers waited for ever.
TEST_F(OwedTest, PatienceIsLostWhereTheTailIsGoneToo) {
  room_for(32);
  const size_t slow = open(OverflowPolicy::kBlock, 10);
  const size_t first = open(OverflowPolicy::kDropOldest);
  const size_t second = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 30; ++offset) publish(slow, offset);
  EXPECT_TRUE(others_are_served(first, second));
  EXPECT_TRUE(tail(slow).empty()) << "one cannot have more than half of the room";
  EXPECT_TRUE(holds_up());
  sweep(29);
  EXPECT_TRUE(holds_up());
  sweep();
  EXPECT_FALSE(holds_up());
}

}  // namespace
}  // namespace parley::hub
