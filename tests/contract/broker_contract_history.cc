// The contract of history: reading in pages both ways, base and top, retention, removal.
#include <gmock/gmock.h>

#include "tests/contract/broker_contract.h"

namespace parley::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(BrokerContract, ReadsForward) {
  fill("a", 5, with_history(10));
  EXPECT_THAT(offsets_of(page("a", {.limit = 10}).publications), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(offsets_of(page("a", {.limit = 2}).publications), ElementsAre(1, 2));
  EXPECT_THAT(offsets_of(page("a", {.since = 3, .limit = 10}).publications), ElementsAre(4, 5));
  EXPECT_THAT(offsets_of(page("a", {.since = 0, .limit = 1}).publications), ElementsAre(1));
  EXPECT_THAT(page("a", {.since = 5, .limit = 10}).publications, IsEmpty());
  EXPECT_THAT(page("a", {.since = UINT64_MAX, .limit = 10}).publications, IsEmpty());
}

TEST_P(BrokerContract, ReadsInReverse) {
  fill("a", 5, with_history(10));
  const auto read_back = [&](hub::ReadQuery query) {
    query.reverse = true;
    return offsets_of(page("a", query).publications);
  };
  EXPECT_THAT(read_back({.limit = 10}), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(read_back({.limit = 2}), ElementsAre(5, 4));
  EXPECT_THAT(read_back({.since = 3, .limit = 10}), ElementsAre(2, 1));
  EXPECT_THAT(read_back({.since = 1, .limit = 10}), IsEmpty());
  EXPECT_THAT(read_back({.since = 0, .limit = 10}), IsEmpty());
  EXPECT_THAT(read_back({.since = UINT64_MAX, .limit = 1}), ElementsAre(5));
}

TEST_P(BrokerContract, LimitZeroGivesThePositionOnly) {
  fill("a", 5, with_history(3));
  const hub::ReadPage position = page("a", {});
  EXPECT_THAT(position.publications, IsEmpty());
  EXPECT_EQ(position.base, 2u);
  EXPECT_EQ(position.top, 5u);
  EXPECT_TRUE(position.epoch.known());
}

TEST_P(BrokerContract, MaxBytesEndsAPageButNeverEmptiesIt) {
  for (int i = 0; i < 6; ++i) publish("a", std::string(1000, 'x'), with_history(10));
  for (const bool reverse : {false, true}) {
    EXPECT_EQ(page("a", {.limit = 10, .max_bytes = 1, .reverse = reverse}).publications.size(), 1u);
    const size_t some =
        page("a", {.limit = 10, .max_bytes = 4500, .reverse = reverse}).publications.size();
    EXPECT_GE(some, 2u);
    EXPECT_LE(some, 4u);
    EXPECT_EQ(page("a", {.limit = 3, .max_bytes = 1 << 20, .reverse = reverse}).publications.size(),
              3u);
  }
}

TEST_P(BrokerContract, PagesJoinToTheWhole) {
  fill("a", 20, with_history(13));
  for (const bool reverse : {false, true}) {
    for (const uint32_t limit : {1u, 2u, 5u, 13u, 14u}) {
      std::vector<uint64_t> all;
      std::optional<uint64_t> since;
      for (;;) {
        const auto got = offsets_of(
            page("a", {.since = since, .limit = limit, .reverse = reverse}).publications);
        if (got.empty()) break;
        all.insert(all.end(), got.begin(), got.end());
        since = got.back();
      }
      if (reverse) std::reverse(all.begin(), all.end());
      EXPECT_THAT(all, ElementsAre(8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20));
    }
  }
}

TEST_P(BrokerContract, SizeBoundsHistoryAndRaisesTheBase) {
  fill("a", 7, with_history(3));
  const hub::ReadPage kept = page("a", {.limit = 10});
  EXPECT_THAT(offsets_of(kept.publications), ElementsAre(5, 6, 7));
  EXPECT_EQ(kept.base, 4u);
  EXPECT_EQ(kept.top, 7u);
  EXPECT_THAT(offsets_of(page("a", {.since = 1, .limit = 1}).publications), ElementsAre(5))
      << "a position below the base reads from the first retained";
}

TEST_P(BrokerContract, TheLatestOptionsWin) {
  fill("a", 5, with_history(10));
  publish("a", "6", with_history(2));
  EXPECT_THAT(offsets_of(page("a", {.limit = 10}).publications), ElementsAre(5, 6));
}

TEST_P(BrokerContract, WithoutHistoryThePositionStillMovesOn) {
  fill("a", 3, without_history());
  const hub::ReadPage position = page("a", {.limit = 10});
  EXPECT_THAT(position.publications, IsEmpty());
  EXPECT_EQ(position.base, 3u);
  EXPECT_EQ(position.top, 3u);
}

TEST_P(BrokerContract, SkippedPublicationLeavesNoSilentHole) {
  attach("a");
  fill("a", 3, with_history(10));
  auto skipped = record("a", "4", with_history(10));
  skipped.skip_history = true;
  EXPECT_EQ(published(std::move(skipped)).position.offset, 4u);
  hub::ReadPage position = page("a", {.limit = 10});
  EXPECT_GE(position.base, 4u);
  EXPECT_EQ(position.top, 4u);
  publish("a", "5", with_history(10));
  position = page("a", {.limit = 10});
  EXPECT_EQ(position.base, 4u);
  EXPECT_THAT(offsets_of(position.publications), ElementsAre(5));
  EXPECT_THAT(offsets_of(log_.feed["a"]), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(BrokerContract, EachPublicationExpiresOnItsOwn) {
  publish("a", "1", with_history(10, seconds(60)));
  pump();
  if (!rig_->advance(seconds(30))) GTEST_SKIP() << "the rig has no clock to advance";
  pump();
  publish("a", "2", with_history(10, seconds(60)));
  pump();
  rig_->advance(seconds(31));
  pump();
  hub::ReadPage kept = page("a", {.limit = 10});
  EXPECT_THAT(offsets_of(kept.publications), ElementsAre(2));
  EXPECT_EQ(kept.base, 1u);
  rig_->advance(seconds(31));
  pump();
  const hub::Epoch epoch = kept.epoch;
  kept = page("a", {.limit = 10});
  EXPECT_THAT(kept.publications, IsEmpty());
  EXPECT_EQ(kept.base, 2u);
  EXPECT_EQ(kept.top, 2u);
  EXPECT_EQ(kept.epoch, epoch);
}

TEST_P(BrokerContract, RemoveHistoryKeepsEpochAndTop) {
  attach("a");
  fill("a", 3, with_history(10));
  const hub::Epoch epoch = page("a", {}).epoch;
  remove_history("a");
  hub::ReadPage position = page("a", {.limit = 10});
  EXPECT_THAT(position.publications, IsEmpty());
  EXPECT_EQ(position.epoch, epoch);
  EXPECT_EQ(position.base, 3u);
  EXPECT_EQ(position.top, 3u);
  const hub::Published next = published(record("a", "4", with_history(10)));
  EXPECT_EQ(next.position, (hub::StreamPosition{epoch, 4}));
  EXPECT_THAT(offsets_of(page("a", {.limit = 10}).publications), ElementsAre(4));
  EXPECT_THAT(offsets_of(log_.feed["a"]), ElementsAre(1, 2, 3, 4));
}

TEST_P(BrokerContract, RemoveHistoryOfAnUnknownChannelSucceeds) {
  remove_history("a");
  pump();
  EXPECT_THAT(take_lines(), ElementsAre("removed 1"));
}

TEST_P(BrokerContract, PageIsTheStateAtItsPlaceAmongTheRequests) {
  const hub::BrokerToken before = read("a", {.limit = 10});
  publish("a", "1", with_history(10));
  const hub::BrokerToken after = read("a", {.limit = 10});
  pump();
  EXPECT_EQ(log_.pages.at(before)->top, 0u);
  EXPECT_EQ(log_.pages.at(after)->top, 1u);
  EXPECT_THAT(offsets_of(log_.pages.at(after)->publications), ElementsAre(1));
}

}  // namespace parley::testing
