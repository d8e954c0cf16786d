// Readers that start with the newest publications, and the bases that a channel with deltas keeps.
#include "tests/support/local_channels_fixture.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::make_publication;
using testing::make_run;
using testing::offsets_of;
using Offsets = std::vector<uint64_t>;

class NewestTest : public LocalChannelsTest {
 protected:
  Subscription& newest(uint32_t limit) {
    Subscription& reader = subscribe({.kind = Start::Kind::kNewest, .limit = limit});
    local_.deliver_ready(100);
    return reader;
  }
  void allow_delta() { options_->allow_delta = true; }
};

TEST_F(NewestTest, ComesFromTheTail) {
  live();
  feed(11, 13);
  Subscription& reader = newest(2);
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{12, 13}));
  EXPECT_EQ(reader.position(), 13u);
  EXPECT_TRUE(home_.reads.empty());
}

TEST_F(NewestTest, OfAnEmptyStreamIsNothing) {
  live(0);
  newest(1);
  EXPECT_FALSE(answer().recovered);
  EXPECT_TRUE(answer().missed.empty());
  EXPECT_TRUE(home_.reads.empty());
}

TEST_F(NewestTest, ComesFromHistory) {
  live(10);
  Subscription& reader = newest(1);
  ASSERT_EQ(home_.reads.size(), 1u);
  EXPECT_EQ(home_.reads[0].query.since, 9u);
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(10, 10)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{10}));
  feed(11, 11);
  EXPECT_EQ(drain(reader), "11");
}

TEST_F(NewestTest, GoesOnWhileHistoryGrows) {
  live(10);
  newest(2);
  feed(11, 12);
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(9, 13)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{12, 13}));
  EXPECT_EQ(answer().top.offset, 13u);
}

TEST_F(NewestTest, TakesWhatHistoryStillKeeps) {
  live(10);
  newest(5);
  page({.epoch = kEpochA, .base = 8, .top = 10, .publications = make_run(9, 10)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{9, 10}));
}

// Found by the simulated hubs: it was given what came before the hole and what came behind.
TEST_F(NewestTest, WhatHistoryLostBetweenTwoPagesTakesTheOlderAlong) {
  live(10);
  newest(100);
  feed(11, 30);
  page({.epoch = kEpochA, .base = 5, .top = 10, .publications = make_run(6, 10)});
  page({.epoch = kEpochA, .base = 24, .top = 30, .publications = make_run(25, 28)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{25, 26, 27, 28, 29, 30}));
}

TEST_F(NewestTest, IsNotRecoveredWhereNothingIsKept) {
  live(10);
  for (const uint64_t base : {10, 0}) {
    subscriber_.answers.clear();
    newest(1);
    page({.epoch = kEpochA, .base = base, .top = 10});
    EXPECT_FALSE(answer().recovered);
    EXPECT_TRUE(answer().missed.empty());
    EXPECT_EQ(answer().top.offset, 10u);
  }
}

TEST_F(NewestTest, StartsAnewAfterAReset) {
  live(10);
  newest(1);
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 3}, GapReason::kEpochChanged);
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(10, 10)});
  EXPECT_TRUE(subscriber_.answers.empty());
  local_.sweep(now_);
  page({.epoch = kEpochB, .base = 0, .top = 3, .publications = make_run(3, 3, kEpochB)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(answer().top, (StreamPosition{kEpochB, 3}));
}

TEST_F(NewestTest, AChannelWithDeltaKeepsItsNewestForAWhile) {
  allow_delta();
  Subscription& reader = live();
  feed(11, 12);
  EXPECT_EQ(drain(reader), "11 12");
  const Tail& tail = reader.channel()->tail();
  local_.sweep(now_);
  local_.sweep(now_ + seconds(10));
  EXPECT_EQ(tail.base(), 11u);
  EXPECT_NE(tail.find(12), nullptr);
  local_.sweep(now_ + seconds(299));
  EXPECT_NE(tail.find(12), nullptr);
  local_.sweep(now_ + seconds(300));
  EXPECT_TRUE(tail.empty());
}

TEST_F(NewestTest, WhatHistoryGaveIsABase) {
  Subscription& plain = live(10);
  subscribe(recover(9));
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(10, 10)});
  EXPECT_TRUE(plain.channel()->tail().empty());
  allow_delta();
  subscribe(recover(9));
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(10, 10)});
  EXPECT_NE(plain.channel()->tail().find(10), nullptr);
  feed(11, 11);
  EXPECT_EQ(drain(plain), "11");
}

// Within a shard no two channels that are followed have the same number.
TEST_F(NewestTest, ChannelsHaveNumbers) {
  Subscription& first = live(0);
  const uint64_t number = first.channel()->number();
  EXPECT_EQ(number, 1u);
  Subscription& other = make();
  local_.subscribe(other, {"other"}, options_, {});
  attached(0);
  EXPECT_EQ(other.channel()->number(), 2u);
}

}  // namespace
}  // namespace parley::hub
