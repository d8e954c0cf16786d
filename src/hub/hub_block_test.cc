// Publishes that wait for slow subscribers, here and on other shards.
#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

// Throws away what is sent to other shards.
struct DeafPost final : Post {
  bool take_credit(ShardId) override { return true; }
  void send_request(ShardId, HubMessage) override {}
  void send_reply(ShardId, HubMessage) override { ++replies; }
  bool try_send(ShardId, HubMessage& message) override {
    message = TopNote{};
    return true;
  }
  int replies = 0;
};

class HubBlockTest : public ::testing::Test {
 protected:
  HubBlockTest() {
    rules_.add("b", {.overflow = {.policy = OverflowPolicy::kBlock, .max_bytes = 600}});
    while (slots_.home(name_) != 0) name_ += 'x';
    me_ = hub_.add(requester_);
    turn();
  }
  ~HubBlockTest() override { hub_.unsubscribe(subscription_); }

  Pace turn() {
    now_.mono += milliseconds(1);
    return hub_.turn(now_);
  }
  void publish() {
    PublishRecord record{.channel = {name_}};
    record.publication = std::make_unique<Publication>();
    record.publication->data = "1";
    hub_.publish(me_, 0, std::move(record));
  }
  // Shard 1 follows, under that name.
  void follow(uint32_t sequence) {
    hub_.receive(
        1, std::make_unique<Request>(Request{sequence, FollowRequest{{name_}, {0, sequence}}}));
    turn();
  }
  void note(uint32_t sequence, Backlog::Kind kind) {
    hub_.receive(1, std::make_unique<BacklogNote>(
                        BacklogNote{{name_}, {0, sequence}, {.kind = kind, .one = {}}}));
  }
  size_t answers() {
    turn();
    return requester_.answers.size();
  }

  SlotTable slots_{2};
  testing::FakeBroker broker_;
  DeafPost post_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  Hub hub_{{}, slots_, broker_, post_, rules_, ids_};
  testing::FakeRequester requester_;
  RequesterId me_;
  testing::FakeSubscriber subscriber_;
  Subscription subscription_{subscriber_, 0};
  Now now_{Time{seconds(1)}, 5};
  std::string name_ = "b:";
};

TEST_F(HubBlockTest, ABacklogElsewhereHoldsThemUp) {
  follow(1);
  note(1, Backlog::Kind::kMany);
  publish();
  EXPECT_EQ(answers(), 0u);
  EXPECT_EQ(turn(), Pace::kSoon);
  note(1, Backlog::Kind::kNobody);
  turn();
  EXPECT_EQ(answers(), 1u);
  EXPECT_EQ(turn(), Pace::kIdle);
}

TEST_F(HubBlockTest, AnInterestThatIsOverIsNotBelieved) {
  follow(1);
  follow(2);
  note(1, Backlog::Kind::kMany);
  publish();
  EXPECT_EQ(answers(), 1u);
}

TEST_F(HubBlockTest, ANewInterestBeginsAnew) {
  follow(1);
  note(1, Backlog::Kind::kMany);
  publish();
  EXPECT_EQ(answers(), 0u);
  follow(2);
  EXPECT_EQ(answers(), 1u);
}

TEST_F(HubBlockTest, AShardWithoutSubscribersHoldsUpNobody) {
  follow(1);
  hub_.subscribe(subscription_, {name_}, {});
  turn();
  note(1, Backlog::Kind::kMany);
  publish();
  EXPECT_EQ(answers(), 0u);
  hub_.receive(1, std::make_unique<DropInterest>(DropInterest{{name_}, {0, 1}}));
  turn();
  EXPECT_EQ(answers(), 1u);
}

TEST_F(HubBlockTest, ABacklogHereHoldsThemUp) {
  hub_.subscribe(subscription_, {name_}, {});
  turn();
  for (int i = 0; i < 4; ++i) publish();
  turn();
  const size_t before = answers();
  EXPECT_EQ(before, 4u) << "they came in one turn, before anybody could have read";
  publish();
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(turn(), Pace::kSoon);
  const Pull pull = hub_.pull(subscription_);
  EXPECT_EQ(pull.publications.size(), 4u);
  subscription_.advance(pull.publications.back()->offset);
  EXPECT_EQ(turn(), Pace::kNow) << "the home shard is this one";
  turn();
  EXPECT_EQ(answers(), before + 1);
}

TEST_F(HubBlockTest, AfterASecondTheyAreOverloaded) {
  follow(1);
  publish();
  EXPECT_EQ(answers(), 1u);
  note(1, Backlog::Kind::kMany);
  publish();
  EXPECT_EQ(answers(), 1u);
  for (int i = 0; i < 997; ++i) turn();
  EXPECT_EQ(answers(), 1u);
  turn();
  ASSERT_EQ(answers(), 2u);
  EXPECT_EQ(requester_.answers.back().second.error(), HubError::kOverloaded);
}

// Want of memory slows them for another reason.
TEST_F(HubBlockTest, ABrakeDelaysThemAllAndKeepsTheirOrder) {
  hub_.subscribe(subscription_, {name_}, {});
  turn();
  hub_.brake(PublishBrake::Step::kSlow);
  publish();
  EXPECT_EQ(turn(), Pace::kSoon);
  for (int i = 0; i < 97; ++i) turn();
  EXPECT_EQ(answers(), 0u);
  EXPECT_EQ(answers(), 1u);
  publish();
  hub_.brake(PublishBrake::Step::kRefuse);
  publish();
  ASSERT_EQ(answers(), 2u);
  EXPECT_EQ(requester_.answers.back().second.error(), HubError::kOverloaded);
  hub_.brake(PublishBrake::Step::kOff);
  EXPECT_EQ(answers(), 3u);
  EXPECT_TRUE(requester_.answers.back().second);
  EXPECT_EQ(turn(), Pace::kIdle);
}

}  // namespace
}  // namespace parley::hub
