// What one turn may cost at the home of many channels.
#include <numeric>

#include <gtest/gtest.h>

#include "hub/home_channels.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

// Counts top notes, of which there may be room for so many.
struct TopsOutlet final : HomeChannels::Outlet {
  size_t tops = 0;
  size_t feeds = 0;
  size_t room = SIZE_MAX;
  void reply(ShardId, uint64_t, std::expected<ReplyBody, HubError>) override {}
  bool try_feed(ShardId, HubMessage& message) override {
    if (std::holds_alternative<TopNote>(message) && tops++ == room) {
      --tops;
      return false;
    }
    if (std::holds_alternative<Feed>(message)) ++feeds;
    message = TopNote{};
    return true;
  }
};

class HomeRoundsTest : public ::testing::Test {
 protected:
  static constexpr size_t kChannels = 3000;
  static constexpr size_t kTurns =
      (kChannels + HomeChannels::kRoundPortion - 1) / HomeChannels::kRoundPortion;

  HomeRoundsTest() {
    rules_.add("h", {.history_size = 10, .history_ttl = seconds(60)});
    for (size_t i = 0; i < kChannels; ++i)
      home_.request(1, {++waiter_, FollowRequest{{name(i)}, {0, 1}}}, now_);
    run();
  }
  static std::string name(size_t channel) { return "h:" + std::to_string(channel); }
  void run() {
    while (broker_.run(now_, home_, 1000)) {
    }
  }
  void publish(size_t channel) {
    broker_.append(name(channel), *rules_.find(name(channel)), std::make_unique<Publication>());
  }
  void publish_to_all() {
    for (size_t i = 0; i < kChannels; ++i) publish(i);
    run();
  }
  size_t turns_of_announcing() {
    size_t turns = 1;
    while (home_.announce_tops() && turns < 100) ++turns;
    return turns;
  }

  testing::FakeBroker broker_;
  TopsOutlet outlet_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  HomeChannels home_{broker_, outlet_, rules_, ids_, 2};
  Now now_{Time{seconds(1)}, 1000};
  uint64_t waiter_ = 0;
};

TEST_F(HomeRoundsTest, ATurnAnnouncesAPortionOfWhatChanged) {
  const testing::MetricDelta postponed("parley_home_rounds_postponed_total");
  publish_to_all();
  EXPECT_FALSE(home_.announce_tops()) << "it has not begun";
  home_.begin_tops();
  EXPECT_TRUE(home_.announce_tops());
  EXPECT_EQ(outlet_.tops, HomeChannels::kRoundPortion);
  EXPECT_EQ(turns_of_announcing(), kTurns - 1);
  EXPECT_EQ(outlet_.tops, kChannels);
  EXPECT_EQ(postponed(), static_cast<int64_t>(kTurns) - 1);
}

// What it has been handed tells it the top; that there was no room for a note is no lag.
TEST_F(HomeRoundsTest, WhoHasAllIsNotBehindForWantOfANote) {
  const testing::MetricDelta behind("parley_shard_behind_total");
  publish_to_all();
  outlet_.room = 100;
  home_.begin_tops();
  turns_of_announcing();
  EXPECT_EQ(outlet_.tops, 100u);
  EXPECT_EQ(behind(), 0);
  EXPECT_FALSE(home_.is_any_behind());
}

// Not in the round under way: who changes in each turn would make it last for ever.
TEST_F(HomeRoundsTest, WhatChangesMeanwhileIsAnnouncedNextTime) {
  publish_to_all();
  home_.begin_tops();
  size_t turns = 1;
  for (; home_.announce_tops() && turns < 100; ++turns) {
    for (size_t i = 0; i < HomeChannels::kRoundPortion; ++i) publish(i);
    run();
  }
  EXPECT_EQ(turns, kTurns);
  outlet_.tops = 0;
  home_.begin_tops();
  turns_of_announcing();
  EXPECT_EQ(outlet_.tops, HomeChannels::kRoundPortion);
}

TEST_F(HomeRoundsTest, AChannelMayGoBeforeItIsAnnouncedOrAttachedAgain) {
  publish_to_all();
  home_.begin_tops();
  home_.announce_tops();
  for (size_t i = 0; i < kChannels; ++i) home_.drop_interest(1, {name(i)}, {0, 1});
  EXPECT_EQ(home_.size(), 0u);
  EXPECT_EQ(turns_of_announcing(), 1u);
  EXPECT_EQ(outlet_.tops, HomeChannels::kRoundPortion);
}

TEST_F(HomeRoundsTest, ATurnAttachesAPortionOfWhatWasLostAgain) {
  broker_.fail_attach.assign(kChannels, BrokerError::kUnavailable);
  std::vector<Slot> all(kSlots);
  std::iota(all.begin(), all.end(), Slot{0});
  home_.on_feed_broken(all);
  run();
  const size_t before = broker_.attaches();
  EXPECT_FALSE(home_.retry_lost()) << "it has not begun";
  home_.begin_retries();
  EXPECT_TRUE(home_.retry_lost());
  EXPECT_EQ(broker_.attaches() - before, HomeChannels::kRoundPortion);
  size_t turns = 1;
  while (home_.retry_lost() && turns < 100) ++turns;
  EXPECT_EQ(turns, kTurns - 1);
  EXPECT_EQ(broker_.attaches() - before, kChannels);
}

// It came behind a detach, or never was one of ours.
TEST_F(HomeRoundsTest, WhatAFeedThatIsOverBringsIsCounted) {
  const testing::MetricDelta stale("parley_broker_feed_stale_total");
  publish_to_all();
  EXPECT_EQ(stale(), 0);
  home_.on_publication({name(0)}, 0, std::make_shared<Publication>());
  home_.on_attached({name(0)}, 0, Attached{});
  EXPECT_EQ(stale(), 2);
}

// Its place has been given to another channel.
TEST_F(HomeRoundsTest, WhatAFeedThatIsOverBringsGoesToNobodyElse) {
  const testing::MetricDelta stale("parley_broker_feed_stale_total");
  const FeedId over = broker_.stream(name(0)).attached_as;
  home_.drop_interest(1, {name(0)}, {0, 1});
  home_.request(1, {++waiter_, FollowRequest{{"h:other"}, {0, 1}}}, now_);
  run();
  const FeedId other = broker_.stream("h:other").attached_as;
  ASSERT_EQ(static_cast<uint32_t>(over), static_cast<uint32_t>(other)) << "the same place";
  const size_t feeds = outlet_.feeds;
  home_.on_publication({name(0)}, over, testing::make_publication(1));
  EXPECT_EQ(stale(), 1);
  EXPECT_EQ(outlet_.feeds, feeds);
  home_.on_publication({"h:other"}, other, testing::make_publication(1));
  EXPECT_EQ(stale(), 1);
  EXPECT_EQ(outlet_.feeds, feeds + 1);
}

}  // namespace
}  // namespace parley::hub
