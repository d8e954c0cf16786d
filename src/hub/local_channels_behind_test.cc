// Readers that come to a shard which is behind the one where they were before.
#include "tests/support/local_channels_fixture.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::make_run;

// Found by the simulated contract: whoever could not recover was placed at this shard's top, and
// given once more what it already had.
TEST_F(LocalChannelsTest, AReaderFromAheadThatCannotRecoverIsNeverSetBack) {
  live(39);
  Subscription& reader = subscribe(recover(48));
  // History has lost what follows 48 in the meantime.
  page({.epoch = kEpochA, .base = 55, .top = 57, .publications = make_run(56, 57)});
  EXPECT_FALSE(answer().recovered);
  EXPECT_EQ(answer().top.offset, 57u);
  feed(40, 57);
  EXPECT_EQ(drain(reader), "");
  feed(58, 58);
  EXPECT_EQ(drain(reader), "58");
}

TEST_F(LocalChannelsTest, AReaderFromAheadThatMissesTooManyIsNeverSetBack) {
  live(39);
  Subscription& reader = subscribe(recover(48, kEpochA, 2));
  page({.epoch = kEpochA, .base = 40, .top = 51, .publications = make_run(49, 51)});
  EXPECT_FALSE(answer().recovered);
  EXPECT_EQ(answer().top.offset, 51u);
  feed(40, 52);
  EXPECT_EQ(drain(reader), "52");
}

// Found by the simulated contract: a reader that had heard of a reset elsewhere was sent back into
// the life that it had seen end, and given what it had there once more.
TEST_F(LocalChannelsTest, AReaderOfALifeThatThisShardHasNotHeardOfWaitsForIt) {
  live(10);
  Subscription& resumed = subscribe(resume(2, kEpochB));
  subscribe(recover(1, kEpochB));
  local_.deliver_ready(100);
  EXPECT_TRUE(subscriber_.answers.empty());
  // Home is there already, and so is its answer; the reset comes behind it.
  page({.epoch = kEpochB, .base = 0, .top = 2});
  EXPECT_TRUE(subscriber_.answers.empty());
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  page({.epoch = kEpochB, .base = 0, .top = 2, .publications = make_run(2, 2, kEpochB)});
  EXPECT_EQ(subscriber_.answers.size(), 2u);
  for (const auto& answered : subscriber_.answers) {
    EXPECT_EQ(answered.result->top.epoch, kEpochB);
    EXPECT_EQ(answered.result->recovered, answered.subscription != &resumed);
  }
  feed(3, 3, kEpochB);
  EXPECT_EQ(drain(resumed), "3");
}

}  // namespace
}  // namespace parley::hub
