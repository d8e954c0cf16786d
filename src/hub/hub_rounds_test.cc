// When a hub wants its next turn, while what it does over and over is not done.
#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

// Another shard, which takes things or does not.
struct OtherShard final : Post {
  bool take_credit(ShardId) override { return true; }
  void send_request(ShardId, HubMessage) override {}
  void send_reply(ShardId, HubMessage) override {}
  bool try_send(ShardId, HubMessage& message) override {
    if (!room) return false;
    ++sent;
    message = TopNote{};
    return true;
  }
  bool room = true;
  size_t sent = 0;
};

class HubRoundsTest : public ::testing::Test {
 protected:
  HubRoundsTest() {
    rules_.add("live");
    rules_.add("h", {.history_size = 10, .history_ttl = seconds(60)});
    turn(milliseconds(1));
  }
  Pace turn(Duration after) {
    now_.mono += after;
    return hub_.turn(now_);
  }
  void settle() {
    for (int turns = 0; turn(milliseconds(1)) != Pace::kIdle; ++turns) ASSERT_LT(turns, 100);
  }
  // Shard 1 follows channels of that namespace whose home is here.
  void follow(const std::string& space, size_t count) {
    for (size_t n = 0; names_.size() < count; ++n) {
      std::string name = space + ":" + std::to_string(n);
      if (slots_.home(name) != 0) continue;
      hub_.receive(1, std::make_unique<Request>(Request{n, FollowRequest{{name}, {0, 1}}}));
      names_.push_back(std::move(name));
    }
    settle();
  }
  void publish_to_all() {
    for (const std::string& name : names_)
      broker_.append(name, *rules_.find(name), std::make_unique<Publication>());
    settle();
  }

  SlotTable slots_{2};
  testing::FakeBroker broker_;
  OtherShard other_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  Hub hub_{{}, slots_, broker_, other_, rules_, ids_};
  Now now_{Time{seconds(1)}, 5};
  std::vector<std::string> names_;
};

TEST_F(HubRoundsTest, SoonWhileTopsAreToBeAnnounced) {
  constexpr size_t kTurns = 3;
  follow("h", kTurns * HomeChannels::kRoundPortion);
  turn(seconds(10));
  settle();
  publish_to_all();
  other_.sent = 0;
  EXPECT_EQ(turn(seconds(10)), Pace::kSoon);
  EXPECT_EQ(turn(milliseconds(1)), Pace::kSoon);
  EXPECT_EQ(turn(milliseconds(1)), Pace::kIdle);
  EXPECT_EQ(other_.sent, names_.size());
}

TEST_F(HubRoundsTest, SoonWhileChannelsAreToBeAttachedAgain) {
  constexpr size_t kTurns = 3;
  follow("h", kTurns * HomeChannels::kRoundPortion);
  turn(seconds(1));
  settle();
  // Several channels of one slot are attached again with each of them.
  broker_.fail_attach.assign(100 * names_.size(), BrokerError::kUnavailable);
  for (const std::string& name : names_) broker_.break_feed(name);
  settle();
  broker_.fail_attach.clear();
  const size_t before = broker_.attaches();
  EXPECT_NE(turn(seconds(1)), Pace::kIdle);
  EXPECT_EQ(broker_.attaches() - before, HomeChannels::kRoundPortion);
  settle();
  EXPECT_EQ(broker_.attaches() - before, names_.size());
}

// A hole at the end of a channel that nobody publishes to: only the note shows it.
TEST_F(HubRoundsTest, SoonWhileANoteHasNotBeenTaken) {
  follow("live", 1);
  turn(seconds(10));
  settle();
  broker_.break_feed(names_[0]);
  broker_.append(names_[0], *rules_.find(names_[0]), std::make_unique<Publication>());
  settle();
  other_.room = false;
  other_.sent = 0;
  EXPECT_EQ(turn(seconds(10)), Pace::kSoon);
  EXPECT_EQ(turn(milliseconds(1)), Pace::kSoon);
  other_.room = true;
  EXPECT_EQ(turn(milliseconds(1)), Pace::kIdle);
  EXPECT_EQ(other_.sent, 1u);
}

}  // namespace
}  // namespace parley::hub
