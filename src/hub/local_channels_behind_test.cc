// Readers that come to a shard which is behind the one where they were before.
#include "tests/support/local_channels_fixture.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
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

}  // namespace
}  // namespace parley::hub
