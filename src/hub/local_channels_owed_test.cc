// What readers are owed while all tails of a shard together are too large: the newest state of a
// channel with `latest`, and what publishers with `block` wait for.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::make_publication;
using testing::MetricDelta;

// Channels with a reader each, and room for `publications` in all of their tails together.
class OwedTest : public LocalChannelsTest {
 protected:
  void room_for(size_t publications) {
    budget_ = publications * kCost;
    channels_ = std::make_unique<LocalChannels>(home_, budget_);
  }
  // `limit`: how many publications a reader may be behind. Without a history.
  size_t open(OverflowPolicy policy, size_t limit = 1000, bool allow_delta = false) {
    auto options = std::make_shared<ChannelOptions>();
    options->overflow = {.policy = policy, .max_bytes = limit * kCost};
    options->tail_bytes = 4 * limit * kCost;
    options->allow_delta = allow_delta;
    channels_->subscribe(make(), {std::to_string(interests_.size())}, options, {});
    interests_.push_back(interest());
    channels_->on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
    channels_->deliver_ready(1);
    return interests_.size() - 1;
  }
  ~OwedTest() override {
    for (auto& subscription : subscriptions_) channels_->unsubscribe(*subscription, now_);
    subscriptions_.clear();
  }
  void publish(size_t channel, uint64_t offset) {
    channels_->on_feed(interests_[channel], make_publication(offset));
  }
  const Tail& tail(size_t channel) { return subscriptions_[channel]->channel()->tail(); }
  size_t bytes() {
    size_t sum = 0;
    for (size_t channel = 0; channel < interests_.size(); ++channel) sum += tail(channel).bytes();
    return sum;
  }
  // True: it is given all up to `offset` and asks nobody.
  bool reads_on_to(size_t channel, uint64_t offset) {
    Subscription& reader = *subscriptions_[channel];
    const Pull pull = channels_->pull(reader, false);
    if (pull.kind != Pull::Kind::kPublications ||
        pull.publications.front()->offset != reader.position() + 1 ||
        pull.publications.back()->offset < offset)
      return false;
    reader.advance(offset);
    return true;
  }
  // Two channels, of which the readers are a little behind now and then. True: they are served.
  bool others_are_served(size_t first, size_t second) {
    for (uint64_t offset = 1; offset <= 100; ++offset)
      for (const size_t channel : {first, second}) {
        publish(channel, offset);
        if (offset % 4 == 0 && !reads_on_to(channel, offset)) return false;
      }
    return true;
  }
  void sweep(int times = 1) {
    while (times-- > 0) channels_->sweep(now_ += seconds(1));
  }
  // What home was told last: somebody is too far behind.
  bool holds_up() {
    channels_->tell_backlogs(now_ += milliseconds(1));
    return !home_.backlogs.empty() && home_.backlogs.back().kind != Backlog::Kind::kNobody;
  }

  const size_t kCost = make_publication(1000)->cost() + 8;
  size_t budget_ = 0;
  std::unique_ptr<LocalChannels> channels_;
  std::vector<InterestId> interests_;
};

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
  channels_->on_page(interests_[0], ReadPage{.epoch = kEpochA, .base = 1, .top = 1});
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
