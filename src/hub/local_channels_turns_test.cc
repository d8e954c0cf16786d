// What one feed and one turn may cost, however many channels have tails.
#include "tests/support/metric_delta.h"
#include "tests/support/owed_fixture.h"

namespace parley::hub {
namespace {

using testing::MetricDelta;

class TurnsTest : public OwedTest {
 protected:
  // Each with a publication, which its reader has had where `read`.
  void open_many(size_t channels, OverflowPolicy policy, bool read = false) {
    for (size_t left = channels; left > 0; --left) {
      const size_t channel = open(policy);
      publish(channel, 1);
      if (read) {
        EXPECT_TRUE(reads_on_to(channel, 1));
      }
    }
  }
  void publish_large(size_t channel, uint64_t offset, size_t size) {
    auto publication = std::make_shared<Publication>(*testing::make_publication(offset));
    publication->data = std::string(size, 'x');
    channels_->on_feed(interests_[channel], std::move(publication));
  }
  // To a new channel behind 200 whose readers the sweep under way gives up, but has not come to.
  size_t publish_large_behind_given_up() {
    for (int n = 0; n < 200; ++n) {
      const size_t channel = open(OverflowPolicy::kBlock, 1);
      for (uint64_t offset = 1; offset <= 3; ++offset) publish(channel, offset);
    }
    for (int second = 0; second < 29; ++second) turns_of_sweep();
    const size_t other = open(OverflowPolicy::kDropOldest);
    EXPECT_TRUE(channels_->sweep(now_ += seconds(1)));
    publish_large(other, 1, 2300 * kCost);
    EXPECT_LE(bytes(), budget_);
    return other;
  }
  // Turns until the sweep that begins now is over.
  size_t turns_of_sweep() {
    now_ += seconds(1);
    size_t turns = 1;
    while (channels_->sweep(now_ += milliseconds(1)) && turns < 100) ++turns;
    return turns;
  }
  size_t with_tail() {
    size_t count = 0;
    for (size_t channel = 0; channel < interests_.size(); ++channel)
      count += tail(channel).empty() ? 0 : 1;
    return count;
  }
};

// One feed settled all the line.
TEST_F(TurnsTest, AFeedLooksAtFewThatAreOwedAllTheyHave) {
  room_for(4000);
  open_many(1500, OverflowPolicy::kLatest);
  const size_t quiet = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 1000; ++offset) publish(quiet, offset);
  const size_t busy = open(OverflowPolicy::kDropOldest);
  const MetricDelta owed("parley_tails_owed_total"), spared("parley_tails_spared_total");
  uint64_t offset = 0;
  for (int64_t before = 0; spared() == 0 && offset < 4000; before = owed()) {
    publish(busy, ++offset);
    ASSERT_LE(owed() - before, 64) << offset;
    ASSERT_LE(bytes(), budget_) << offset;
  }
  EXPECT_EQ(owed(), 1500) << "all of the line, some with each feed";
  EXPECT_FALSE(tail(quiet).covers(0)) << "who is owed nothing gives before those";
  for (size_t channel = 0; channel < 1500; ++channel) EXPECT_TRUE(reads_on_to(channel, 1));
}

// So much at once that there is no room for another feed to go on.
TEST_F(TurnsTest, WithoutRoomTheNewestGivesOfItsOwn) {
  room_for(2000);
  open_many(900, OverflowPolicy::kLatest);
  const size_t busy = open(OverflowPolicy::kDropOldest);
  const MetricDelta owed("parley_tails_owed_total");
  for (uint64_t offset = 1; offset <= 1000; ++offset) publish(busy, offset);
  const int64_t before = owed();
  publish_large(busy, 1001, 100 * kCost);
  EXPECT_LE(owed() - before, 64);
  EXPECT_LE(bytes(), budget_);
  EXPECT_TRUE(tail(busy).covers(1000));
  for (size_t channel = 0; channel < 900; ++channel) EXPECT_TRUE(reads_on_to(channel, 1));
}

// ... and has nothing to give.
TEST_F(TurnsTest, WithoutRoomWhatIsOwedLongestGoes) {
  room_for(2000);
  open_many(1900, OverflowPolicy::kLatest);
  const size_t other = open(OverflowPolicy::kDropOldest);
  const MetricDelta owed("parley_tails_owed_total"), asked("parley_tails_asked_total");
  publish_large(other, 1, 300 * kCost);
  EXPECT_LE(bytes(), budget_);
  EXPECT_TRUE(reads_on_to(other, 1));
  EXPECT_TRUE(tail(0).empty());
  EXPECT_LE(owed(), 4 * 64) << "no more than gave";
  EXPECT_LE(asked(), owed() + 1) << "not for each that gave: it may have many readers";
  for (size_t channel = 400; channel < 1900; ++channel) EXPECT_TRUE(reads_on_to(channel, 1));
}

// They are waited for no longer, by the sweep that had not come to them: none is owed anything.
TEST_F(TurnsTest, ThoseLookedAtInVainMayBeOwedNothing) {
  room_for(2500);
  open_many(1025, OverflowPolicy::kDropOldest);
  const size_t other = publish_large_behind_given_up();
  EXPECT_TRUE(reads_on_to(other, 1));
  turns_of_sweep();
}

// Who was looked at and gave was counted as vain: after 64 of them another's last went.
TEST_F(TurnsTest, WhatIsOwedStaysWhileTheOldestGiveForNothing) {
  room_for(2500);
  const size_t latest = open(OverflowPolicy::kLatest);
  publish(latest, 1);
  open_many(1025, OverflowPolicy::kDropOldest);
  const size_t filler = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 850; ++offset) publish(filler, offset);
  const size_t other = publish_large_behind_given_up();
  EXPECT_TRUE(reads_on_to(latest, 1));
  EXPECT_TRUE(reads_on_to(other, 1));
  turns_of_sweep();
}

// One turn looked at all of them.
TEST_F(TurnsTest, ASweepLooksAtAPortionInEachTurn) {
  room_for(20'000);
  open_many(5000, OverflowPolicy::kDropOldest, true);
  const size_t portion = LocalChannels::kSweepPortion / 2;  // a channel and a reader
  const size_t turns = (5000 + portion - 1) / portion;
  const MetricDelta postponed("parley_sweeps_postponed_total");
  for (int second = 0; second <= 10; ++second) EXPECT_EQ(turns_of_sweep(), turns);
  EXPECT_EQ(postponed(), 11 * static_cast<int64_t>(turns - 1));
  EXPECT_EQ(with_tail(), 0u) << "each in each sweep: nothing is kept longer than 10 s and a sweep";
}

TEST_F(TurnsTest, APortionGivesBackAPortion) {
  room_for(20'000);
  open_many(5000, OverflowPolicy::kDropOldest, true);
  for (int second = 0; second < 10; ++second) turns_of_sweep();
  ASSERT_EQ(with_tail(), 5000u);
  now_ += seconds(1);
  for (size_t left = 5000; left > 0;) {
    const bool more = channels_->sweep(now_ += milliseconds(1));
    left -= std::min(left, LocalChannels::kSweepPortion / 2);
    EXPECT_EQ(with_tail(), left);
    EXPECT_EQ(more, left > 0);
  }
}

// Whoever comes behind those that a sweep has not come to is none of its own.
TEST_F(TurnsTest, ASweepEndsHoweverManyAreFedMeanwhile) {
  room_for(20'000);
  open_many(5000, OverflowPolicy::kDropOldest);
  uint64_t offset = 1;
  size_t turns = 1;
  for (; channels_->sweep(now_ += milliseconds(1)) && turns < 100; ++turns) {
    ++offset;
    for (size_t channel = 0; channel < 2000; ++channel) publish(channel, offset);
  }
  EXPECT_LE(turns, 5u);
}

// What is left of a round stands in the line no more when the sweep goes on, and it was taken for
// over and began anew: a second of patience was a turn.
TEST_F(TurnsTest, ASweepEndsThoughWhatIsLeftOfItIsFed) {
  room_for(100'000);
  const size_t slow = open(OverflowPolicy::kBlock, 10);
  uint64_t offset = 0;
  while (offset < 30) publish(slow, ++offset);
  EXPECT_TRUE(holds_up());
  open_many(1023, OverflowPolicy::kDropOldest);
  const size_t busy = open(OverflowPolicy::kDropOldest);
  offset = 1;
  publish(busy, offset);
  size_t turns = 1;
  for (; channels_->sweep(now_ += milliseconds(1)) && turns < 1000; ++turns)
    publish(busy, ++offset);
  EXPECT_LE(turns, 2u);
  EXPECT_TRUE(holds_up()) << "not even a second has passed";
}

// It is never where the sweep looks.
TEST_F(TurnsTest, WhoIsFedBeforeTheSweepComesToItIsJudgedToo) {
  room_for(100'000);
  open_many(3000, OverflowPolicy::kDropOldest);
  const size_t slow = open(OverflowPolicy::kBlock, 10);
  uint64_t offset = 0;
  while (offset < 30) publish(slow, ++offset);
  EXPECT_TRUE(holds_up());
  size_t rounds = 0;
  for (; holds_up() && rounds < 100; ++rounds) {
    now_ += seconds(1);
    while (channels_->sweep(now_ += milliseconds(1))) publish(slow, ++offset);
  }
  EXPECT_GE(rounds, 30u);
  EXPECT_LE(rounds, 31u);
}

// Who is to give next does not depend on how far a sweep is.
TEST_F(TurnsTest, TheOldestGivesInTheMiddleOfASweep) {
  room_for(4000);
  open_many(3900, OverflowPolicy::kDropOldest);
  for (int turn = 0; turn < 2; ++turn) EXPECT_TRUE(channels_->sweep(now_ += milliseconds(1)));
  for (size_t channel = 3400; channel < 3900; ++channel) publish(channel, 2);
  size_t given = 0;
  while (tail(given).empty()) ++given;
  EXPECT_GT(given, 50u);
  for (size_t channel = given; channel < 3900; ++channel)
    EXPECT_FALSE(tail(channel).empty()) << channel;
  EXPECT_LE(bytes(), budget_);
}

// They stood in the line of tails, and a feed walked past all of them.
TEST_F(TurnsTest, TailsThatAHoleEmptiedAreInNobodysWay) {
  room_for(1000);
  open_many(900, OverflowPolicy::kLatest);
  for (size_t channel = 0; channel < 900; ++channel)
    channels_->on_top(interests_[channel], 5, false);
  const size_t first = open(OverflowPolicy::kDropOldest);
  const MetricDelta owed("parley_tails_owed_total"), spared("parley_tails_spared_total");
  for (uint64_t offset = 1; offset <= 990; ++offset) publish(first, offset);
  const size_t second = open(OverflowPolicy::kDropOldest);
  for (uint64_t offset = 1; offset <= 200; ++offset) publish(second, offset);
  EXPECT_EQ(owed(), 0);
  EXPECT_EQ(spared(), 1);
  publish(0, 6);
  publish(0, 7);
  EXPECT_TRUE(tail(0).covers(5));
}

// Publishers of very many channels may wait for somebody at the same time.
TEST_F(TurnsTest, HomesAreToldOfBacklogsInPortions) {
  room_for(1 << 20);
  constexpr size_t kChannels = LocalChannels::kBacklogPortion + 100;
  for (size_t i = 0; i < kChannels; ++i) {
    const size_t channel = open(OverflowPolicy::kBlock, 1);
    publish(channel, 1);
    publish(channel, 2);
  }
  const MetricDelta postponed("parley_backlogs_postponed_total");
  const auto told = [this] {
    home_.backlogs.clear();
    EXPECT_TRUE(channels_->tell_backlogs(now_ += milliseconds(1)));
    return home_.backlogs.size();
  };
  EXPECT_EQ(told(), LocalChannels::kBacklogPortion);
  EXPECT_EQ(postponed(), 1);
  EXPECT_EQ(told(), 100u);
  EXPECT_EQ(postponed(), 1);
  EXPECT_EQ(told(), 0u);
  EXPECT_EQ(told(), 0u);
  // All of them read on: none is told twice, and none is forgotten.
  for (size_t channel = 0; channel < kChannels; ++channel) EXPECT_TRUE(reads_on_to(channel, 2));
  EXPECT_EQ(told(), LocalChannels::kBacklogPortion);
  home_.backlogs.clear();
  EXPECT_FALSE(channels_->tell_backlogs(now_ += milliseconds(1)));
  EXPECT_EQ(home_.backlogs.size(), 100u);
}

}  // namespace
}  // namespace parley::hub
