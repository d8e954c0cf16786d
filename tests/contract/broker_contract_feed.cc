// The contract of order: attach, feed, completions, levels.
#include <gmock/gmock.h>

#include "tests/contract/broker_contract.h"

namespace parley::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(BrokerContract, CompletionsComeInTheOrderOfRequests) {
  attach("a");
  publish("a", "x", with_history(10));
  read("a", {.limit = 10});
  remove_history("a");
  publish("a", "y", with_history(10));
  EXPECT_THAT(log_.lines, IsEmpty()) << "called back before run()";
  pump();
  EXPECT_THAT(take_lines(), ElementsAre("attached a#1 0..0", "feed a:1=x", "published 1", "read 2",
                                        "removed 3", "feed a:2=y", "published 4"));
  EXPECT_THAT(offsets_of(log_.pages.at(2)->publications), ElementsAre(1));
}

TEST_P(BrokerContract, FeedStartsExactlyBehindTop) {
  publish("a", "1", with_history(10));
  publish("a", "2", with_history(10));
  attach("a");
  publish("a", "3", with_history(10));
  pump();
  EXPECT_THAT(take_lines(), ElementsAre("published 1", "published 2", "attached a#1 0..2",
                                        "feed a:3=3", "published 3"));
  EXPECT_EQ(log_.feed["a"][0]->epoch, log_.attached["a"].epoch);
}

TEST_P(BrokerContract, FeedIsOnlyOfAttachedChannels) {
  attach("a");
  fill("b", 2, with_history(10));
  EXPECT_THAT(log_.feed, IsEmpty());
}

TEST_P(BrokerContract, FeedIsContiguousAlsoWithoutHistory) {
  if (!broker().capabilities().contiguous_offsets) GTEST_SKIP();
  attach("a", 1, without_history());
  for (int i = 0; i < 20; ++i) {
    auto next = record("a", "x", i % 2 == 0 ? without_history() : with_history(3));
    next.skip_history = i % 3 == 0;
    publish(std::move(next));
  }
  pump();
  uint64_t position = 0;
  for (const auto& publication : log_.feed["a"]) {
    EXPECT_EQ(publication->prev, position);
    EXPECT_EQ(publication->offset, position + 1);
    position = publication->offset;
  }
  EXPECT_EQ(position, 20u);
}

TEST_P(BrokerContract, DetachStopsTheFeedAndWhatWasQueued) {
  attach("a");
  pump();
  publish("a", "1", with_history(10));
  broker().detach({"a"});
  publish("a", "2", with_history(10));
  broker().detach({"a"});
  pump();
  EXPECT_THAT(log_.feed, IsEmpty());
  EXPECT_EQ(log_.published.size(), 2u);
}

TEST_P(BrokerContract, AStaleFeedIsNeverHeardOfAgain) {
  attach("a", 1);
  publish("a", "1", with_history(10));
  attach("a", 2);
  publish("a", "2", with_history(10));
  pump();
  EXPECT_THAT(take_lines(),
              ElementsAre("published 1", "attached a#2 0..1", "feed a:2=2", "published 2"));
}

TEST_P(BrokerContract, NothingFedBeforeADetachIsHeardBehindTheNextAttach) {
  attach("a", 1);
  publish("a", "1", with_history(10));
  broker().detach({"a"});
  publish("a", "2", with_history(10));
  attach("a", 2);
  publish("a", "3", with_history(10));
  pump();
  EXPECT_THAT(take_lines(), ElementsAre("published 1", "published 2", "attached a#2 0..2",
                                        "feed a:3=3", "published 3"));
}

TEST_P(BrokerContract, ReattachKeepsTheEpoch) {
  attach("a", 1);
  pump();
  const hub::Epoch first = log_.attached["a"].epoch;
  attach("a", 2);
  pump();
  EXPECT_EQ(log_.attached["a"].epoch, first);
}

TEST_P(BrokerContract, OneEventPerRunKeepsTheOrder) {
  attach("a");
  for (int i = 1; i <= 3; ++i) publish("a", std::to_string(i), with_history(10));
  rig_->pump(log_, 1);
  EXPECT_THAT(take_lines(), ElementsAre("attached a#1 0..0", "feed a:1=1", "published 1",
                                        "feed a:2=2", "published 2", "feed a:3=3", "published 3"));
}

TEST_P(BrokerContract, PublicationIsCarriedUnharmed) {
  attach("a");
  auto sent = record("a", std::string("\0\xff{", 3), with_history(10));
  sent.publication->time = 1234;
  sent.publication->kind = hub::ContentKind::kBinary;
  sent.publication->event = "event";
  sent.publication->tags = {{"k", "v"}, {"k", "w"}};
  sent.publication->publisher =
      std::make_unique<hub::ClientInfo>(hub::ClientInfo{"user", "client", "{\"c\":1}", "{}"});
  const hub::Published answer = published(std::move(sent));
  const hub::ReadPage read_back = page("a", {.limit = 1});
  for (const hub::PublicationPtr& got : {log_.feed["a"].at(0), read_back.publications.at(0)}) {
    EXPECT_EQ(got->offset, answer.position.offset);
    EXPECT_EQ(got->epoch, answer.position.epoch);
    EXPECT_EQ(got->time, 1234);
    EXPECT_EQ(got->kind, hub::ContentKind::kBinary);
    EXPECT_EQ(got->data, std::string("\0\xff{", 3));
    EXPECT_EQ(got->event, "event");
    EXPECT_EQ(got->tags, (hub::Tags{{"k", "v"}, {"k", "w"}}));
    ASSERT_TRUE(got->publisher);
    EXPECT_EQ(*got->publisher, (hub::ClientInfo{"user", "client", "{\"c\":1}", "{}"}));
  }
}

TEST_P(BrokerContract, TimeIsFilledInWhenTheCallerGaveNone) {
  attach("a");
  fill("a", 1, with_history(10));
  EXPECT_GT(log_.feed["a"].at(0)->time, 0);
}

TEST_P(BrokerContract, LevelIsTheOneReachedAndNeverBelowTheOneAskedFor) {
  using hub::AckLevel;
  attach("a");
  const AckLevel best = broker().capabilities().max_level;
  for (const AckLevel level :
       {AckLevel::kAccepted, AckLevel::kStored, AckLevel::kReplicated, AckLevel::kDurable}) {
    auto asked = record("a", "x", with_history(10));
    asked.ack = level;
    const hub::BrokerToken token = publish(std::move(asked));
    pump();
    const auto& result = log_.published.at(token);
    if (level > best) {
      EXPECT_EQ(result, std::unexpected(hub::BrokerError::kUnsupported));
    } else {
      ASSERT_TRUE(result.has_value());
      EXPECT_GE(result->level, level);
      EXPECT_LE(result->level, best);
    }
  }
  EXPECT_EQ(log_.feed["a"].size(), static_cast<size_t>(best) + 1) << "a refused publish is applied";
}

}  // namespace parley::testing
