// The contract of idempotent publishing.
#include <gmock/gmock.h>

#include "tests/contract/broker_contract.h"

namespace parley::testing {

using ::testing::ElementsAre;

namespace {

hub::PublishRecord keyed(hub::PublishRecord record, const std::string& principal,
                         const std::string& key) {
  record.principal = principal;
  record.idempotency_key = key;
  return record;
}

}  // namespace

TEST_P(BrokerContract, IdempotentPublishIsAppliedOnce) {
  attach("a");
  const hub::Published first = published(keyed(record("a", "x", with_history(10)), "p", "k"));
  EXPECT_FALSE(first.duplicate);
  publish("a", "between", with_history(10));
  const hub::Published again = published(keyed(record("a", "x", with_history(10)), "p", "k"));
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first.position);
  EXPECT_EQ(again.prev, first.prev);
  EXPECT_EQ(again.level, first.level);
  EXPECT_THAT(offsets_of(log_.feed["a"]), ElementsAre(1, 2));
  EXPECT_EQ(page("a", {}).top, 2u);
}

TEST_P(BrokerContract, DuplicateInFlightJoinsTheFirst) {
  attach("a");
  const auto first = publish(keyed(record("a", "x", with_history(10)), "p", "k"));
  const auto second = publish(keyed(record("a", "x", with_history(10)), "p", "k"));
  pump();
  EXPECT_FALSE(log_.published.at(first)->duplicate);
  EXPECT_TRUE(log_.published.at(second)->duplicate);
  EXPECT_EQ(log_.published.at(first)->position, log_.published.at(second)->position);
  EXPECT_THAT(take_lines(),
              ElementsAre("attached a#1 0..0", "feed a:1=x", "published 1", "published 2"));
}

TEST_P(BrokerContract, SameKeyWithOtherBytesIsAConflict) {
  attach("a");
  published(keyed(record("a", "x", with_history(10)), "p", "k"));
  const auto other_data = publish(keyed(record("a", "y", with_history(10)), "p", "k"));
  auto other_event = keyed(record("a", "x", with_history(10)), "p", "k");
  other_event.publication->event = "e";
  const auto event = publish(std::move(other_event));
  auto other_kind = keyed(record("a", "x", with_history(10)), "p", "k");
  other_kind.publication->kind = hub::ContentKind::kText;
  const auto kind = publish(std::move(other_kind));
  auto other_tags = keyed(record("a", "x", with_history(10)), "p", "k");
  other_tags.publication->tags = {{"t", "1"}};
  const auto tags = publish(std::move(other_tags));
  pump();
  for (const hub::BrokerToken token : {other_data, event, kind, tags})
    EXPECT_EQ(log_.published.at(token), std::unexpected(hub::BrokerError::kIdempotencyConflict));
  EXPECT_THAT(offsets_of(log_.feed["a"]), ElementsAre(1));
}

TEST_P(BrokerContract, KeysOfOtherPrincipalsAndChannelsAreIndependent) {
  EXPECT_FALSE(published(keyed(record("a", "x", with_history(10)), "p", "k")).duplicate);
  EXPECT_FALSE(published(keyed(record("a", "y", with_history(10)), "q", "k")).duplicate);
  EXPECT_FALSE(published(keyed(record("b", "z", with_history(10)), "p", "k")).duplicate);
  EXPECT_FALSE(published(keyed(record("a", "w", with_history(10)), "", "k")).duplicate);
  EXPECT_TRUE(published(keyed(record("a", "y", with_history(10)), "q", "k")).duplicate);
}

TEST_P(BrokerContract, WithoutAKeyNothingIsADuplicate) {
  EXPECT_EQ(published(record("a", "x", with_history(10))).position.offset, 1u);
  EXPECT_EQ(published(record("a", "x", with_history(10))).position.offset, 2u);
}

TEST_P(BrokerContract, KeyIsForgottenAfterItsWindow) {
  published(keyed(record("a", "x", with_history(10)), "p", "k"));
  if (!rig_->advance(std::chrono::minutes(4))) GTEST_SKIP() << "the rig has no clock to advance";
  pump();
  EXPECT_TRUE(published(keyed(record("a", "x", with_history(10)), "p", "k")).duplicate);
  rig_->advance(std::chrono::minutes(2));
  pump();
  const hub::Published later = published(keyed(record("a", "y", with_history(10)), "p", "k"));
  EXPECT_FALSE(later.duplicate);
  EXPECT_EQ(later.position.offset, 2u);
}

TEST_P(BrokerContract, DuplicateOfASkippedOrRemovedPublicationIsStillOne) {
  auto first = keyed(record("a", "x", with_history(10)), "p", "k");
  first.skip_history = true;
  const hub::Published answer = published(std::move(first));
  remove_history("a");
  const hub::Published again = published(keyed(record("a", "x", with_history(10)), "p", "k"));
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, answer.position);
}

}  // namespace parley::testing
