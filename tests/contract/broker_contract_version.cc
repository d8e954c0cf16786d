// The contract of publishing with versions.
#include <gmock/gmock.h>

#include "tests/contract/broker_contract.h"

namespace parley::testing {

using ::testing::ElementsAre;

namespace {

hub::PublishRecord versioned(hub::PublishRecord record, uint64_t version,
                             const std::string& epoch = "") {
  record.version = version;
  record.version_epoch = epoch;
  return record;
}

}  // namespace

TEST_P(BrokerContract, AnOldVersionIsNotApplied) {
  attach("a");
  const auto make = [](const std::string& data) { return record("a", data, with_history(10)); };
  EXPECT_FALSE(published(versioned(make("x"), 5)).outdated);
  for (const uint64_t version : {5u, 4u, 1u}) {
    const hub::Published old = published(versioned(make("y"), version));
    EXPECT_TRUE(old.outdated) << version;
    EXPECT_EQ(old.position.offset, 1u);
    EXPECT_EQ(old.position.epoch, page("a", {}).epoch);
  }
  EXPECT_FALSE(published(make("z")).outdated);  // without a version it always is
  EXPECT_TRUE(published(versioned(make("y"), 5)).outdated);
  const hub::Published newer = published(versioned(make("n"), 6));
  EXPECT_FALSE(newer.outdated);
  EXPECT_EQ(newer.position.offset, 3u);
  EXPECT_THAT(offsets_of(log_.feed["a"]), ElementsAre(1, 2, 3));
  EXPECT_EQ(page("a", {.limit = 10}).publications.size(), 3u);
}

TEST_P(BrokerContract, VersionsOfAnotherEpochStartAnew) {
  const auto make = [] { return record("a", "x", with_history(10)); };
  EXPECT_FALSE(published(versioned(make(), 5, "e1")).outdated);
  EXPECT_TRUE(published(versioned(make(), 5, "e1")).outdated);
  EXPECT_TRUE(published(versioned(make(), 5)).outdated);  // an empty epoch compares with all
  EXPECT_FALSE(published(versioned(make(), 1, "e2")).outdated);
  EXPECT_TRUE(published(versioned(make(), 1, "e2")).outdated);
  EXPECT_FALSE(published(versioned(make(), 2, "e2")).outdated);
}

TEST_P(BrokerContract, VersionsOutliveTheHistoryTheyCameWith) {
  const auto make = [] { return record("a", "x", with_history(10)); };
  published(versioned(make(), 5));
  remove_history("a");
  pump();
  EXPECT_TRUE(published(versioned(make(), 5)).outdated);
  EXPECT_EQ(page("a", {}).top, 1u);
}

TEST_P(BrokerContract, VersionsNeedHistory) {
  const auto make = [] { return record("a", "x", without_history()); };
  EXPECT_FALSE(published(versioned(make(), 5)).outdated);
  EXPECT_FALSE(published(versioned(make(), 5)).outdated);
  hub::PublishRecord skipping = versioned(record("b", "x", with_history(10)), 5);
  skipping.skip_history = true;
  published(std::move(skipping));
  EXPECT_FALSE(published(versioned(record("b", "x", with_history(10)), 5)).outdated);
}

}  // namespace parley::testing
