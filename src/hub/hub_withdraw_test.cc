// Whoever loses the right to what it has asked for: refused wherever it waits, here and elsewhere.
#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

// Keeps the requests to another shard, which has room or not.
struct KeepingPost final : Post {
  bool take_credit(ShardId) override { return room; }
  void send_request(ShardId, HubMessage message) override {
    sent.push_back(std::move(std::get<std::unique_ptr<Request>>(message)));
  }
  void send_reply(ShardId, HubMessage message) override {
    replies.push_back(std::move(std::get<std::unique_ptr<Reply>>(message)));
  }
  bool try_send(ShardId, HubMessage& message) override {
    message = TopNote{};
    return true;
  }
  bool room = true;
  std::vector<std::unique_ptr<Request>> sent;
  std::vector<std::unique_ptr<Reply>> replies;
};

class HubWithdrawTest : public ::testing::Test {
 protected:
  HubWithdrawTest() {
    rules_.add("b", {.overflow = {.policy = OverflowPolicy::kBlock, .max_bytes = 600}});
    while (slots_.home(here_) != 0) here_ += 'x';
    while (slots_.home(there_) != 1) there_ += 'x';
    me_ = hub_.add(requester_);
    another_ = hub_.add(requester_);
    turn();
  }
  void turn(Duration after = milliseconds(1)) {
    now_.mono += after;
    hub_.turn(now_);
  }
  // A reader of `here_`, on the other shard, that nobody may overtake.
  void make_slow() {
    hub_.receive(1, std::make_unique<Request>(Request{1, FollowRequest{{here_}, {0, 1}}}));
    turn();
    hub_.receive(1, std::make_unique<BacklogNote>(
                        BacklogNote{{here_}, {0, 1}, {.kind = Backlog::Kind::kMany, .one = {}}}));
    post_.replies.clear();
  }
  void publish(RequesterId who, StepId step, const std::string& channel) {
    hub_.publish(who, step, record(channel));
  }
  PublishRecord record(const std::string& channel) {
    PublishRecord made{.channel = {channel}, .options = rules_.find(channel)};
    made.publication = std::make_unique<Publication>();
    made.publication->data = "1";
    return made;
  }
  // Steps that were refused, and "+" for those that were done.
  std::string answers() {
    turn();
    turn();
    std::string out;
    for (const auto& [step, answer] : std::exchange(requester_.answers, {}))
      out += (answer                                 ? "+"
              : answer.error() == HubError::kRevoked ? "x"
                                                     : "-") +
             std::to_string(step) + " ";
    return out;
  }

  SlotTable slots_{2};
  testing::FakeBroker broker_;
  KeepingPost post_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  Hub hub_{{}, slots_, broker_, post_, rules_, ids_};
  testing::FakeRequester requester_;
  RequesterId me_, another_;
  Now now_{Time{seconds(1)}, 5};
  std::string here_ = "b:", there_ = "b:";
};

TEST_F(HubWithdrawTest, BehindSlowReaders) {
  make_slow();
  publish(me_, 1, here_);
  publish(another_, 2, here_);
  EXPECT_EQ(answers(), "");
  hub_.withdraw({.who = me_});
  EXPECT_EQ(answers(), "x1 ");
  turn(seconds(3));
  EXPECT_EQ(answers(), "+2 ");
  EXPECT_EQ(broker_.stream(here_).top, 1u);
}

TEST_F(HubWithdrawTest, OfOneStepOrOfOneChannelAlone) {
  make_slow();
  publish(me_, 1, here_);
  publish(me_, 2, here_);
  hub_.withdraw({.who = me_, .step = 2});
  EXPECT_EQ(answers(), "x2 ");
  hub_.withdraw({.who = me_, .channel = "b:another"});
  EXPECT_EQ(answers(), "");
  hub_.withdraw({.who = me_, .channel = here_});
  EXPECT_EQ(answers(), "x1 ");
}

TEST_F(HubWithdrawTest, ARequesterThatHasGone) {
  make_slow();
  publish(me_, 1, here_);
  hub_.withdraw({.who = me_});
  hub_.remove(me_);
  turn(seconds(3));
  EXPECT_EQ(answers(), "");
  EXPECT_EQ(broker_.stream(here_).top, 0u);
}

TEST_F(HubWithdrawTest, WhileMemoryIsScarce) {
  hub_.brake(PublishBrake::Step::kSlow);
  publish(me_, 1, here_);
  publish(another_, 2, here_);
  hub_.withdraw({.who = me_});
  EXPECT_EQ(answers(), "x1 ");
  turn(milliseconds(100));
  EXPECT_EQ(answers(), "+2 ");
}

TEST_F(HubWithdrawTest, ForWantOfACredit) {
  post_.room = false;
  publish(me_, 1, there_);
  publish(another_, 2, there_);
  hub_.withdraw({.who = me_});
  EXPECT_EQ(answers(), "x1 ");
  post_.room = true;
  turn();
  ASSERT_EQ(post_.sent.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<WithdrawRequest>(post_.sent[0]->body));
  EXPECT_EQ(post_.sent[1]->who, another_);
}

// However many requests wait for a credit.
TEST_F(HubWithdrawTest, TheWordGoesBeforeWhatWaitsForACredit) {
  publish(me_, 1, there_);
  turn();
  ASSERT_EQ(post_.sent.size(), 1u);
  post_.room = false;
  for (StepId step = 2; step <= 9; ++step) publish(another_, step, there_);
  hub_.withdraw({.who = me_});
  turn();
  post_.room = true;
  turn();
  ASSERT_EQ(post_.sent.size(), 10u);
  EXPECT_TRUE(std::holds_alternative<WithdrawRequest>(post_.sent[1]->body));
  EXPECT_EQ(post_.sent[2]->who, another_);
}

// Behind the publishes, in one line with them.
TEST_F(HubWithdrawTest, AtAnotherShardWhichIsTold) {
  publish(me_, 1, there_);
  publish(another_, 2, there_);
  hub_.withdraw({.who = me_});
  turn();
  ASSERT_EQ(post_.sent.size(), 3u);
  const auto& told = std::get<WithdrawRequest>(post_.sent[2]->body);
  EXPECT_TRUE(told.waiters->cover(post_.sent[0]->waiter, there_, ""));
  EXPECT_FALSE(told.waiters->cover(post_.sent[1]->waiter, there_, ""));
}

TEST_F(HubWithdrawTest, OnTheWordOfAnotherShard) {
  make_slow();
  hub_.receive(1, std::make_unique<Request>(Request{7, record(here_), {3, 0}}));
  hub_.receive(1, std::make_unique<Request>(Request{8, record(here_), {4, 0}}));
  turn();
  EXPECT_TRUE(post_.replies.empty());
  auto waiters = std::make_shared<WithdrawnWaiters>();
  waiters->add(8, "");
  hub_.receive(1, std::make_unique<Request>(Request{9, WithdrawRequest{waiters}}));
  turn();
  ASSERT_EQ(post_.replies.size(), 2u);
  EXPECT_EQ(post_.replies[0]->waiter, 8u);
  EXPECT_EQ(post_.replies[0]->body.error(), HubError::kRevoked);
}

// The word of a block comes when whoever asked is there no more.
class HubWithdrawUserTest : public HubWithdrawTest {
 protected:
  HubWithdrawUserTest() { hub_.set_control_sink(&sink_); }
  void publish_as(RequesterId who, StepId step, const std::string& channel, const char* user) {
    PublishRecord made = record(channel);
    made.principal = user;
    hub_.publish(who, step, std::move(made));
  }
  void block(const char* user) {
    auto control = std::make_shared<Control>();
    control->kind = Control::Kind::kBlock;
    control->user = user;
    hub_.receive(1, std::make_unique<Request>(Request{9, ControlRequest{std::move(control)}}));
    turn();
  }
  // All sessions have gone by themselves.
  struct NoSessions final : ControlSink {
    bool apply(const Control&, size_t&, Controlled&) override { return true; }
  } sink_;
};

TEST_F(HubWithdrawUserTest, BehindSlowReaders) {
  make_slow();
  publish_as(me_, 1, here_, "ann");
  publish_as(another_, 2, here_, "bob");
  hub_.remove(me_);
  block("ann");
  turn(seconds(3));
  EXPECT_EQ(answers(), "+2 ");
  EXPECT_EQ(broker_.stream(here_).top, 1u);
}

TEST_F(HubWithdrawUserTest, WhileMemoryIsScarce) {
  hub_.brake(PublishBrake::Step::kSlow);
  publish_as(me_, 1, here_, "ann");
  publish_as(another_, 2, here_, "bob");
  hub_.remove(me_);
  block("ann");
  turn(milliseconds(100));
  EXPECT_EQ(answers(), "+2 ");
  EXPECT_EQ(broker_.stream(here_).top, 1u);
}

TEST_F(HubWithdrawUserTest, ForWantOfACredit) {
  post_.room = false;
  publish_as(me_, 1, there_, "ann");
  publish_as(another_, 2, there_, "bob");
  hub_.remove(me_);
  block("ann");
  post_.room = true;
  turn();
  ASSERT_EQ(post_.sent.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<WithdrawRequest>(post_.sent[0]->body));
  EXPECT_EQ(post_.sent[1]->who, another_);
}

TEST_F(HubWithdrawUserTest, AtAnotherShardWhichIsTold) {
  publish_as(me_, 1, there_, "ann");
  hub_.remove(me_);
  block("ann");
  ASSERT_EQ(post_.sent.size(), 2u);
  const auto& told = std::get<WithdrawRequest>(post_.sent[1]->body);
  EXPECT_TRUE(told.waiters->cover(77, there_, "ann"));
  EXPECT_FALSE(told.waiters->cover(77, there_, "bob"));
}

TEST_F(HubWithdrawUserTest, WhoIsThereSaysForItself) {
  publish_as(me_, 1, there_, "ann");
  block("ann");
  EXPECT_EQ(post_.sent.size(), 1u);
}

// Nor has the operator a name.
TEST_F(HubWithdrawUserTest, TheAnonymousUserIsNobodyInParticular) {
  make_slow();
  publish_as(me_, 1, here_, "");
  hub_.remove(me_);
  block("");
  turn(seconds(3));
  EXPECT_EQ(answers(), "");
  EXPECT_EQ(broker_.stream(here_).top, 1u);
}

}  // namespace
}  // namespace parley::hub
