// Controls that are remembered, and the statuses of users, between the hubs of two shards.
#include <array>
#include <deque>

#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

using Words = std::vector<std::string>;

// Puts everything into the other shard's line.
struct LinePost final : Post {
  std::deque<HubMessage>* line = nullptr;
  bool credit = true;
  bool take_credit(ShardId) override { return credit; }
  void send_request(ShardId, HubMessage message) override { line->push_back(std::move(message)); }
  void send_reply(ShardId, HubMessage message) override { line->push_back(std::move(message)); }
  bool try_send(ShardId, HubMessage& message) override {
    line->push_back(std::move(message));
    return true;
  }
};

struct NotingSink final : ControlSink {
  Words remembered, applied;
  size_t room = 10;
  static std::string word(const Control& control) {
    return (control.kind == Control::Kind::kBlock ? "+" : "-") + control.user;
  }
  bool apply(const Control& control, size_t&, Controlled& result) override {
    applied.push_back(word(control));
    result.connections.push_back({.client = "c", .user = control.user});
    return true;
  }
  bool has_room(const Control&) const override { return remembered.size() < room; }
  void remember(const Control& control) override { remembered.push_back(word(control)); }
};

class RememberedTest : public ::testing::Test {
 protected:
  struct Side {
    Side(ShardId id, RememberedTest& test)
        : hub({.shard = id, .user_status = {.enabled = true}}, test.slots_, broker, post,
              test.rules_, test.ids_) {
      hub.set_control_sink(&sink);
      me = hub.add(requester);
    }
    parley::testing::FakeBroker broker;
    LinePost post;
    std::deque<HubMessage> line;  // what is on its way to it
    NotingSink sink;
    Hub hub;
    parley::testing::FakeRequester requester;
    RequesterId me;
  };

  RememberedTest() {
    zero_.post.line = &one_.line;
    one_.post.line = &zero_.line;
    settle();
  }
  // What is in the line to `to` arrives.
  void deliver(Side& to) {
    const ShardId from = &to == &zero_ ? 1 : 0;
    for (; !to.line.empty(); to.line.pop_front()) to.hub.receive(from, std::move(to.line.front()));
    to.hub.turn(now_);
  }
  void settle() {
    for (int i = 0; i < 6; ++i) {
      zero_.hub.turn(now_);
      deliver(one_);
      one_.hub.turn(now_);
      deliver(zero_);
    }
  }
  void ask(Side& side, StepId step, Control::Kind kind, std::string user) {
    Control control{.kind = kind};
    control.user = std::move(user);
    side.hub.control(side.me, step, std::make_shared<const Control>(std::move(control)));
  }
  void ask_status(Side& side, StatusRequest::Kind kind, Words users) {
    side.hub.user_status(side.me, 1, {kind, std::make_shared<const Words>(std::move(users))});
    settle();
  }

  SlotTable slots_{2};
  parley::testing::NamespaceRules rules_;
  parley::testing::SeededIds ids_{1};
  Now now_{Time{seconds(1)}, 100'000};
  Side zero_{0, *this}, one_{1, *this};
};

TEST_F(RememberedTest, IsRememberedOnReceiptAndAnsweredWhenAllHaveApplied) {
  ask(one_, 1, Control::Kind::kBlock, "ann");
  one_.hub.turn(now_);
  EXPECT_TRUE(one_.sink.remembered.empty());  // not before the first shard says so
  deliver(zero_);
  EXPECT_EQ(zero_.sink.remembered, Words{"+ann"});
  EXPECT_EQ(zero_.sink.applied, Words{"+ann"});
  EXPECT_TRUE(one_.requester.answers.empty());
  deliver(one_);
  EXPECT_EQ(one_.sink.remembered, Words{"+ann"});
  EXPECT_EQ(one_.sink.applied, Words{"+ann"});
  EXPECT_TRUE(one_.requester.answers.empty());
  settle();
  ASSERT_EQ(one_.requester.answers.size(), 1u);
  const auto& answer = one_.requester.answers[0].second;
  EXPECT_EQ(std::get<Controlled>(*answer).connections.size(), 2u);
}

TEST_F(RememberedTest, EveryShardHasTheSameOrder) {
  for (int round = 0; round < 3; ++round) {
    ask(one_, 1, Control::Kind::kBlock, "ann");
    ask(zero_, 2, Control::Kind::kUnblock, "ann");
    one_.hub.turn(now_);
    if (round > 0) zero_.hub.turn(now_);
    if (round > 1) deliver(one_);
    settle();
  }
  EXPECT_EQ(zero_.sink.remembered.size(), 6u);
  EXPECT_EQ(zero_.sink.remembered, one_.sink.remembered);
  EXPECT_EQ(zero_.sink.applied, one_.sink.applied);
  EXPECT_EQ(zero_.requester.answers.size() + one_.requester.answers.size(), 6u);
}

TEST_F(RememberedTest, WhatHasNoRoomIsRefusedAndNobodyRemembersIt) {
  zero_.sink.room = 0;
  ask(one_, 1, Control::Kind::kBlock, "ann");
  settle();
  ASSERT_EQ(one_.requester.answers.size(), 1u);
  EXPECT_EQ(one_.requester.answers[0].second.error(), HubError::kOverloaded);
  EXPECT_TRUE(zero_.sink.remembered.empty());
  EXPECT_TRUE(one_.sink.remembered.empty());
}

// Clients can fill that line.
TEST_F(RememberedTest, ALineThatIsFullRefusesNone) {
  zero_.post.credit = false;
  for (int i = 0; i < 5000; ++i) zero_.hub.note_user("u" + std::to_string(i), true);
  ask(one_, 1, Control::Kind::kBlock, "ann");
  settle();
  EXPECT_EQ(zero_.sink.remembered, Words{"+ann"});
  EXPECT_TRUE(one_.requester.answers.empty());
  zero_.post.credit = true;
  settle();
  ASSERT_EQ(one_.requester.answers.size(), 1u);
  EXPECT_TRUE(one_.requester.answers[0].second);
}

TEST_F(RememberedTest, StatusesLiveAtTheirUsersHome) {
  const Words users{"a", "b", "c", "d", "e", "f"};
  ask_status(zero_, StatusRequest::Kind::kUpdate, {"a", "b", "c", "d", "e"});
  one_.hub.note_user("f", true);
  settle();
  ask_status(one_, StatusRequest::Kind::kGet, users);
  const auto& list = std::get<UserStatusList>(*one_.requester.answers.back().second).statuses;
  EXPECT_EQ(list.size(), 6u);
  for (const UserStatus& status : list) {
    EXPECT_EQ(status.active, status.user == "f" ? 0 : 100);
    EXPECT_EQ(status.online, status.user == "f" ? 100 : 0);
  }
  one_.hub.note_user("f", false);
  settle();
  now_.wall += 5'000;
  ask_status(one_, StatusRequest::Kind::kDelete, {"a", "b", "c", "d", "e"});
  ask_status(one_, StatusRequest::Kind::kGet, users);
  const auto& rest = std::get<UserStatusList>(*one_.requester.answers.back().second).statuses;
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].online, 100);
}

}  // namespace
}  // namespace parley::hub
