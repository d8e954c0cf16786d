// What readers see when their channel's history is lost or rolled back.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::make_run;
using testing::MetricDelta;

TEST_F(LocalChannelsTest, AnEpochChangeIsToldToLiveReaders) {
  const MetricDelta gaps(R"(parley_gaps_total{reason="epoch_changed"})");
  Subscription& reader = live();
  feed(11, 12);
  EXPECT_EQ(drain(reader), "11 12");
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_TRUE(subscriber_.dirty.size() > 0);
  feed(3, 3, kEpochB);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed 3");
  EXPECT_EQ(gaps(), 1);
}

TEST_F(LocalChannelsTest, ARollbackIsToldOnlyToThoseAbove) {
  const MetricDelta gaps(R"(parley_gaps_total{reason="rolled_back"})");
  Subscription& ahead = live();
  Subscription& behind = subscribe();
  local_.deliver_ready(100);
  feed(11, 12);
  EXPECT_EQ(drain(ahead), "11 12");
  Epoch next = kEpochA;
  next.generation = 1;
  local_.on_reset(interest(), {.epoch = next, .top = 11, .generation_ends = {11}},
                  GapReason::kRolledBack);
  for (auto& publication : make_run(12, 13, next)) local_.on_feed(interest(), publication);
  EXPECT_EQ(drain(ahead), "12-12:rolled_back 12 13");
  EXPECT_EQ(gaps(), 1);
  EXPECT_EQ(
      waiting_then(behind, {.epoch = next, .base = 0, .top = 13, .publications = make_run(11, 13)}),
      "11 12 13");
}

TEST_F(LocalChannelsTest, ResetWhileRecovering) {
  live();
  subscribe(recover(3));
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  local_.deliver_ready(100);
  EXPECT_FALSE(answer().recovered);
  EXPECT_EQ(answer().top, (StreamPosition{kEpochB, 2}));
  // The page that was on its way belongs to nobody.
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(4, 10)});
  EXPECT_EQ(subscriber_.answers.size(), 1u);
}

// What it has gathered before the rollback stands there no more.
TEST_F(LocalChannelsTest, ARollbackBetweenTwoPagesOfARecovery) {
  live();
  subscribe(recover(3));
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(4, 7)});
  Epoch next = kEpochA;
  next.generation = 1;
  local_.on_reset(interest(), {.epoch = next, .top = 5, .generation_ends = {5}},
                  GapReason::kRolledBack);
  page({.epoch = next, .base = 0, .top = 5});  // was asked for behind 7
  page({.epoch = next, .base = 0, .top = 5, .publications = make_run(4, 5)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(testing::offsets_of(answer().missed), (std::vector<uint64_t>{4, 5}));
}

TEST_F(LocalChannelsTest, ResetWhileALiveReaderWaits) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_EQ(drain(slow), "0-2:epoch_changed");
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(11, 20)});
  EXPECT_EQ(drain(slow), "");
}

// The reply may overtake the reset, or the reset the reply; neither page may be merged.
TEST_F(LocalChannelsTest, APageOfAnotherGenerationIsNotMerged) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  Epoch next = kEpochA;
  next.generation = 1;
  page({.epoch = next, .base = 0, .top = 20, .publications = make_run(11, 20, next)});
  EXPECT_EQ(drain(slow), "waiting");
  local_.on_reset(interest(), {.epoch = next, .top = 12, .generation_ends = {12}},
                  GapReason::kRolledBack);
  EXPECT_EQ(
      waiting_then(slow, {.epoch = next, .base = 0, .top = 20, .publications = make_run(11, 20)}),
      "11 12 13 14 15 16 17 18 19 20");
}

TEST_F(LocalChannelsTest, APageOfAnotherEpochIsAskedForAgain) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  page({.epoch = kEpochB, .base = 0, .top = 3});
  EXPECT_EQ(drain(slow), "waiting");
  local_.sweep(now_);
  EXPECT_EQ(home_.reads.size(), 2u);
}

TEST_F(LocalChannelsTest, ResetBetweenAnswerAndDelivery) {
  live();
  Subscription& reader = subscribe(recover(10));
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().recovered);
  EXPECT_TRUE(reader.dirty);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed");
}

// A reset must not wipe out what an earlier one still has to tell.
TEST_F(LocalChannelsTest, AnUntoldEpochChangeSurvivesARollback) {
  live();
  Subscription& reader = subscribe(resume(3, kEpochB));
  local_.on_page(interest(), ReadPage{.epoch = kEpochA, .base = 10, .top = 10});
  Epoch next = kEpochA;
  next.generation = 1;
  local_.on_reset(interest(), {.epoch = next, .top = 8, .generation_ends = {8}},
                  GapReason::kRolledBack);
  local_.deliver_ready(100);
  EXPECT_EQ(drain(reader), "0-8:epoch_changed");
}

TEST_F(LocalChannelsTest, UntoldRollbacksAreToldAsOne) {
  Subscription& reader = live(20);
  Epoch next = kEpochA;
  next.generation = 1;
  local_.on_reset(interest(), {.epoch = next, .top = 15, .generation_ends = {15}},
                  GapReason::kRolledBack);
  next.generation = 2;
  local_.on_reset(interest(), {.epoch = next, .top = 12, .generation_ends = {12, 12}},
                  GapReason::kRolledBack);
  EXPECT_EQ(drain(reader), "13-20:rolled_back");
}

}  // namespace
}  // namespace parley::hub
