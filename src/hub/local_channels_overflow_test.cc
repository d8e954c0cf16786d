// Readers that are too far behind, by policy and by limit.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::make_publication;
using testing::MetricDelta;

class OverflowTest : public LocalChannelsTest {
 protected:
  // Room for three publications behind a reader, for thirty in the tail.
  Subscription& live_with(OverflowPolicy policy, Duration max_delay = Duration::zero()) {
    options_->overflow = {.policy = policy,
                          .max_bytes = 3 * make_publication(1)->cost() + 16,
                          .max_delay = max_delay};
    options_->tail_bytes = 30 * make_publication(1)->cost();
    return live();
  }
  void pass(Duration time) {
    for (const Time end = now_ + time; now_ < end;) {
      now_ += seconds(1);
      local_.sweep(now_);
    }
  }
};

TEST_F(OverflowTest, DropOldestKeepsWhatTheLimitAllows) {
  Subscription& reader = live_with(OverflowPolicy::kDropOldest);
  feed(11, 13);
  EXPECT_EQ(drain(reader), "11 12 13");
  const MetricDelta times(R"(parley_overflows_total{cause="drop_oldest_bytes"})");
  const MetricDelta skipped(R"(parley_overflow_skipped_total{policy="drop_oldest"})");
  const MetricDelta gaps(R"(parley_gaps_total{reason="overflow"})");
  feed(14, 23);
  EXPECT_EQ(drain(reader), "14-20:overflow 21 22 23");
  EXPECT_EQ(times(), 1);
  EXPECT_EQ(skipped(), 7);
  EXPECT_EQ(gaps(), 1);
  EXPECT_TRUE(home_.reads.empty());  // history is not asked
}

TEST_F(OverflowTest, LatestGoesOnWithTheNewest) {
  Subscription& reader = live_with(OverflowPolicy::kLatest);
  feed(11, 13);
  EXPECT_EQ(drain(reader), "11 12 13");  // who keeps up sees every one
  const MetricDelta times(R"(parley_overflows_total{cause="latest_bytes"})");
  const MetricDelta skipped(R"(parley_overflow_skipped_total{policy="latest"})");
  const MetricDelta gaps(R"(parley_gaps_total{reason="conflated"})");
  feed(14, 17);
  EXPECT_EQ(drain(reader), "14-16:conflated 17");
  EXPECT_EQ(times(), 1);
  EXPECT_EQ(skipped(), 3);
  EXPECT_EQ(gaps(), 1);
  feed(18, 18);
  EXPECT_EQ(drain(reader), "18");
}

TEST_F(OverflowTest, ResumeReadsOnFromHistory) {
  Subscription& reader = live_with(OverflowPolicy::kResume);
  feed(11, 30);
  EXPECT_EQ(drain(reader).substr(0, 8), "11 12 13");
}

TEST_F(OverflowTest, EachReaderIsJudgedByItsOwnPlace) {
  Subscription& quick = live_with(OverflowPolicy::kDropOldest);
  Subscription& slow = subscribe();
  local_.deliver_ready(100);
  for (uint64_t offset = 11; offset <= 20; ++offset) {
    feed(offset, offset);
    EXPECT_EQ(drain(quick), std::to_string(offset));
  }
  EXPECT_EQ(drain(slow), "11-17:overflow 18 19 20");
}

TEST_F(OverflowTest, OneThatIsLargerThanTheLimitStillComes) {
  Subscription& reader = live_with(OverflowPolicy::kDropOldest);
  auto large = std::make_shared<Publication>();
  large->offset = 11;
  large->prev = 10;
  large->epoch = kEpochA;
  large->data.assign(10 * options_->overflow.max_bytes, 'x');
  local_.on_feed(interest(), large);
  EXPECT_EQ(drain(reader), "11");
  feed(12, 12);
  EXPECT_EQ(drain(reader), "12");
}

TEST_F(OverflowTest, WhatIsTooOldIsDropped) {
  Subscription& reader = live_with(OverflowPolicy::kDropOldest, seconds(2));
  feed(11, 12);
  pass(seconds(1));
  feed(13, 13);
  pass(seconds(1));
  EXPECT_EQ(drain(reader), "11 12 13");  // two seconds are not over since the sweep saw them
  feed(14, 14);
  pass(seconds(1));
  feed(15, 15);
  pass(seconds(2));
  feed(16, 16);
  const MetricDelta times(R"(parley_overflows_total{cause="drop_oldest_time"})");
  EXPECT_EQ(drain(reader), "14-14:overflow 15 16");
  EXPECT_EQ(times(), 1);
}

TEST_F(OverflowTest, TheNewestIsNeverTooOld) {
  Subscription& reader = live_with(OverflowPolicy::kLatest, seconds(1));
  feed(11, 12);
  pass(seconds(20));
  const MetricDelta times(R"(parley_overflows_total{cause="latest_time"})");
  EXPECT_EQ(drain(reader), "11-11:conflated 12");
  EXPECT_EQ(times(), 1);
  feed(13, 13);
  pass(seconds(20));
  EXPECT_EQ(drain(reader), "13");
}

TEST_F(OverflowTest, WhoComesBackIsGivenWhatItAskedFor) {
  live_with(OverflowPolicy::kDropOldest);
  feed(11, 20);
  subscriber_.answers.clear();
  Subscription& back = subscribe(resume(10));
  local_.deliver_ready(100);
  feed(21, 22);
  EXPECT_EQ(drain(back), "11 12 13 14 15 16 17 18 19 20 21 22");
  feed(23, 30);
  EXPECT_EQ(drain(back), "23-27:overflow 28 29 30");  // from then on it is like the others
}

TEST_F(OverflowTest, WhoComesBackReadsHistoryFirst) {
  live_with(OverflowPolicy::kLatest);
  feed(11, 20);
  Subscription& back = subscribe(resume(8));
  local_.deliver_ready(100);
  EXPECT_EQ(
      waiting_then(back, {.epoch = kEpochA, .top = 20, .publications = testing::make_run(9, 20)}),
      "9 10 11 12 13 14 15 16 17 18 19 20");
}

TEST_F(OverflowTest, ARewoundReaderIsGivenWhatItWasRewoundFor) {
  Subscription& reader = live_with(OverflowPolicy::kLatest);
  feed(11, 13);
  EXPECT_EQ(drain(reader), "11 12 13");
  feed(14, 15);
  EXPECT_EQ(drain(reader), "14 15");
  local_.rewind(reader, 11);
  EXPECT_EQ(drain(reader), "12 13 14 15");
}

TEST_F(OverflowTest, AHoleInTheFeedIsNoReadersSlowness) {
  Subscription& reader = live_with(OverflowPolicy::kDropOldest);
  local_.on_top(interest(), 40, false);
  EXPECT_EQ(drain(reader), "waiting");
  EXPECT_EQ(home_.reads.size(), 1u);
}

// The page that it waits for would be taken for a second hole.
TEST_F(OverflowTest, WhoWaitsForAPageIsJudgedBehindIt) {
  Subscription& reader = live_with(OverflowPolicy::kLatest, seconds(5));
  local_.on_top(interest(), 40, false);
  EXPECT_EQ(drain(reader), "waiting");
  feed(41, 42);
  pass(seconds(10));
  feed(43, 43);
  pass(seconds(10));
  EXPECT_EQ(drain(reader), "waiting");
  page({.epoch = kEpochA, .base = 43, .top = 43});
  EXPECT_TRUE(drain(reader).ends_with(" 43")) << "the newest is in the tail";
}

// 500 readers, each behind on a channel of its own, were given nothing when they woke up.
TEST_F(OverflowTest, TheNewestStateStaysWhenTheTailIsGivenBack) {
  options_->overflow = {.policy = OverflowPolicy::kLatest};
  options_->tail_bytes = 3 * make_publication(1)->cost();
  LocalChannels small(home_, options_->tail_bytes * 2);
  std::vector<InterestId> interests;
  for (const std::string name : {"a", "b", "c"}) {
    small.subscribe(make(), {name}, options_, {});
    interests.push_back(interest());
    small.on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
  }
  small.deliver_ready(10);
  const MetricDelta spared("parley_tails_spared_total");
  for (const InterestId& to : interests)
    for (auto& publication : testing::make_run(1, 3, kEpochA)) small.on_feed(to, publication);
  EXPECT_GE(spared(), 1);
  Subscription& reader = *subscriptions_[0];  // of the channel that was fed longest ago
  const Pull gap = small.pull(reader);
  EXPECT_EQ(gap.kind, Pull::Kind::kGap);
  EXPECT_EQ(gap.gap.reason, GapReason::kConflated);
  EXPECT_EQ(gap.gap.to, 2u);
  const Pull newest = small.pull(reader);
  ASSERT_EQ(newest.publications.size(), 1u);
  EXPECT_EQ(newest.publications[0]->offset, 3u);
  EXPECT_TRUE(home_.reads.empty());
  for (auto& subscription : subscriptions_) small.unsubscribe(*subscription, now_);
}

// What was removed went on to count, until every tail was given back for it.
TEST_F(OverflowTest, WhatIsRemovedCountsNoMore) {
  Subscription& reader = live();
  LocalChannels small(home_, 10 * make_publication(1)->cost());
  small.subscribe(make(), {"a"}, options_, {});
  small.on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
  const InterestId removed = interest();
  small.subscribe(make(), {"b"}, options_, {});
  small.on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
  small.deliver_ready(10);
  small.on_feed(interest(), make_publication(1));
  const MetricDelta spared("parley_tails_spared_total");
  for (uint64_t offset = 1; offset <= 40; ++offset) {
    small.on_feed(removed, make_publication(offset));
    small.on_top(removed, offset, true);
  }
  EXPECT_EQ(spared(), 0);
  for (auto& subscription : subscriptions_)
    if (subscription.get() != &reader) small.unsubscribe(*subscription, now_);
}

TEST_F(OverflowTest, AnotherLifeBeginsWithoutALine) {
  Subscription& reader = live_with(OverflowPolicy::kDropOldest);
  feed(11, 30);
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed");
  feed(3, 5, kEpochB);
  EXPECT_EQ(drain(reader), "3 4 5");
}

TEST_F(OverflowTest, JoinsAndLeavesAreNotConflated) {
  options_->overflow = {.policy = OverflowPolicy::kLatest, .max_bytes = 1};
  options_->tail_bytes = 30 * make_publication(1)->cost();
  key_ = {"news", Aspect::kPresence};
  Subscription& reader = live();
  feed(11, 14);
  EXPECT_EQ(drain(reader), "11 12 13 14");
}

TEST_F(OverflowTest, MarksOfTimeStayFew) {
  Subscription& reader = live_with(OverflowPolicy::kLatest, seconds(3));
  for (uint64_t offset = 11; offset < 3000; ++offset) {
    feed(offset, offset);
    pass(seconds(1));
  }
  EXPECT_EQ(drain(reader), "11-2998:conflated 2999");
}

}  // namespace
}  // namespace parley::hub
