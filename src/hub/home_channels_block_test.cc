// Publishes that wait for a shard as a whole, or in one turn, at the home of their channel.
#include <gtest/gtest.h>

#include "hub/home_channels.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

// Counts what leaves.
struct CountingOutlet final : HomeChannels::Outlet {
  size_t replies = 0, refused = 0;
  std::vector<uint64_t> fed;
  size_t room = SIZE_MAX;
  void reply(ShardId, uint64_t, std::expected<ReplyBody, HubError> body) override {
    ++(body ? replies : refused);
  }
  bool try_feed(ShardId, HubMessage& message) override {
    if (room == 0) return false;
    --room;
    if (const auto* feed = std::get_if<Feed>(&message)) fed.push_back(feed->publication->offset);
    message = TopNote{};
    return true;
  }
};

class HomeBlockTest : public ::testing::Test {
 protected:
  HomeBlockTest() {
    rules_.add("b", {.tail_bytes = 1 << 20,
                     .overflow = {.policy = OverflowPolicy::kBlock, .max_bytes = 100'000}});
    rules_.add("r");
    home_.request(1, {1, FollowRequest{{name_}, {0, 1}}}, now_);
    turn();
    outlet_.replies = 0;
  }
  // As the hub does it.
  void turn() {
    now_.mono += milliseconds(1);
    home_.run_gate(now_);
    while (broker_.run(now_, home_, 100)) {
    }
    home_.feed_behind();
    home_.end_turn();
  }
  void publish(size_t bytes = 10, const std::string& rules = "b", ShardId from = 0) {
    PublishRecord record{.channel = {name_}, .options = rules_.find(rules)};
    record.publication = std::make_unique<Publication>();
    record.publication->data.assign(bytes, 'x');
    home_.publish(from, {7, 0}, 0, std::move(record), now_);
  }
  size_t published() { return broker_.stream(name_).top; }

  testing::FakeBroker broker_;
  CountingOutlet outlet_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  HomeChannels home_{broker_, outlet_, rules_, ids_, 2};
  Now now_{Time{seconds(1)}, 1000};
  std::string name_ = "b:a";
};

// Nobody there can tell how far behind it is.
TEST_F(HomeBlockTest, AShardThatIsBehindIsWaitedFor) {
  outlet_.room = 0;
  publish();
  turn();
  EXPECT_EQ(published(), 1u);
  publish();
  publish();
  turn();
  EXPECT_EQ(published(), 1u);
  EXPECT_TRUE(home_.publishes_wait());
  outlet_.room = SIZE_MAX;
  turn();  // it is given the first
  turn();
  EXPECT_EQ(published(), 3u);
  EXPECT_EQ(outlet_.fed, (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(HomeBlockTest, ItIsWaitedForAsLongAsItIsBehind) {
  outlet_.room = 0;
  publish();
  turn();
  now_.mono += 2 * PublishGate::kBelieved;
  publish();
  turn();
  EXPECT_EQ(published(), 1u);
  now_.mono += seconds(1);
  turn();
  EXPECT_EQ(outlet_.refused, 1u);
}

TEST_F(HomeBlockTest, AShardThatLeavesIsNotWaitedFor) {
  outlet_.room = 0;
  publish();
  turn();
  publish();
  home_.drop_interest(1, {name_}, {0, 1});
  turn();
  EXPECT_EQ(published(), 2u);
}

// What was on its way when it fell behind.
TEST_F(HomeBlockTest, ItIsFedFromAsMuchAsTheNamespaceKeeps) {
  outlet_.room = 0;
  for (int i = 0; i < 9; ++i) {
    auto made = std::make_unique<Publication>();
    made->data.assign(100'000, 'x');
    broker_.append(name_, *rules_.find(name_), std::move(made));
  }
  turn();
  outlet_.room = SIZE_MAX;
  turn();
  EXPECT_EQ(outlet_.fed.size(), 9u);
}

// No shard can say that it is behind before it has had them.
TEST_F(HomeBlockTest, OneTurnTakesNoMoreThanAReaderMayBeBehind) {
  for (int i = 0; i < 6; ++i) publish(40'000);
  turn();
  EXPECT_EQ(published(), 2u);
  turn();
  EXPECT_EQ(published(), 4u);
  publish(40'000);
  turn();
  turn();
  EXPECT_EQ(published(), 7u);
  EXPECT_EQ(outlet_.refused, 0u);
}

TEST_F(HomeBlockTest, TheFirstGoesHoweverLarge) {
  publish(300'000);
  publish(300'000);
  turn();
  EXPECT_EQ(published(), 1u);
  turn();
  EXPECT_EQ(published(), 2u);
}

// The namespace has just been given another policy.
TEST_F(HomeBlockTest, AReloadReordersNothing) {
  outlet_.room = 0;
  publish();
  turn();
  publish();
  publish(10, "r");
  turn();
  EXPECT_EQ(published(), 1u) << "the later one waits behind the earlier one";
  outlet_.room = SIZE_MAX;
  turn();
  turn();
  EXPECT_EQ(published(), 3u);
}

}  // namespace
}  // namespace parley::hub
