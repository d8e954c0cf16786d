// Joins and leaves: who is told, and in which order.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JoinLeaveTest : public CentrifugeTest {
 protected:
  JoinLeaveTest() {
    hub::ChannelOptions options;
    options.presence = options.join_leave = true;
    world.rules().set("room", options);
    options.join_leave = false;
    world.rules().set("silent", options);
  }
  Replies subscribe(FakeClient& client, const std::string& channel = "room") {
    return ask(client,
               R"({"id":2,"subscribe":{"channel":")" + channel + R"(","join_leave":true}})");
  }
  static std::string told(const std::string& what, const std::string& id) {
    return R"({"push":{"channel":"room",")" + what + R"(":{"info":{"user":"","client":")" + id +
           "\"}}}}";
  }
};

TEST_F(JoinLeaveTest, AClientSeesItsOwnJoinBehindTheReply) {
  FakeClient& client = connect();
  EXPECT_THAT(subscribe(client), ElementsAre(R"({"id":2,"subscribe":{}})", told("join", last_id)));
}

TEST_F(JoinLeaveTest, OthersSeeJoinsAndLeaves) {
  FakeClient& watcher = connect();
  subscribe(watcher);
  FakeClient& second = connect();
  const std::string second_id = last_id;
  ask(second, R"({"id":2,"subscribe":{"channel":"room"}})");
  EXPECT_THAT(take(watcher), ElementsAre(told("join", second_id)));
  ask(second, R"({"id":3,"unsubscribe":{"channel":"room"}})");
  EXPECT_THAT(take(watcher), ElementsAre(told("leave", second_id)));
  FakeClient& third = connect();
  ask(third, R"({"id":2,"subscribe":{"channel":"room"}})");
  third.leave();
  EXPECT_THAT(take(watcher), ElementsAre(told("join", last_id), told("leave", last_id)));
}

TEST_F(JoinLeaveTest, NobodyIsToldWhoDidNotAskOrMayNotKnow) {
  FakeClient& unasked = connect();
  EXPECT_THAT(ask(unasked, R"({"id":2,"subscribe":{"channel":"room"}})"), SizeIs(1));
  FakeClient& silent = connect();
  EXPECT_THAT(subscribe(silent, "silent"), SizeIs(1));
  EXPECT_THAT(take(unasked), IsEmpty());
}

// Who may know only what subscribers may know is one of them from this subscribe on.
TEST_F(JoinLeaveTest, WhatOnlySubscribersMayKnowIsGivenWithTheSubscription) {
  hub::ChannelOptions options = history_only();
  options.presence = options.join_leave = true;
  world.rules().set("room", options);
  access.subscribers_only = {"room"};
  EXPECT_THAT(subscribe(connect()), SizeIs(2)) << "the own join";
  EXPECT_THAT(ask(connect(), R"({"id":2,"subscribe":{"channel":"room","positioned":true}})").at(0),
              HasSubstr(R"("positioned":true)"));
  EXPECT_THAT(ask(connect(), R"({"id":2,"subscribe":{"channel":"room","recoverable":true}})").at(0),
              HasSubstr(R"("recoverable":true)"));
}

TEST_F(JoinLeaveTest, NothingFollowsAnUnsubscribe) {
  FakeClient& watcher = connect();
  subscribe(watcher);
  EXPECT_THAT(ask(watcher, R"({"id":3,"unsubscribe":{"channel":"room"}})"),
              ElementsAre(R"({"id":3,"unsubscribe":{}})"));
  subscribe(connect());
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_THAT(subscribe(watcher), SizeIs(2)) << "and one can come back";
}

TEST_F(JoinLeaveTest, ASubscribeThatWasTakenBackIsNotTold) {
  FakeClient& watcher = connect();
  subscribe(watcher);
  take(watcher);
  ask(connect(),
      "{\"id\":2,\"subscribe\":{\"channel\":\"room\"}}\n"
      "{\"id\":3,\"unsubscribe\":{\"channel\":\"room\"}}");
  EXPECT_THAT(take(watcher), IsEmpty());
}

TEST_F(JoinLeaveTest, NeedNoPresence) {
  hub::ChannelOptions options;
  options.join_leave = true;
  world.rules().set("room", options);
  EXPECT_THAT(subscribe(connect()), SizeIs(2));
  EXPECT_EQ(world.presence_counts("room").error(), hub::HubError::kNotAvailable);
}

TEST_F(JoinLeaveTest, PublicationsAndJoinsKeepApart) {
  FakeClient& watcher = connect();
  subscribe(watcher);
  publish("room", 1, 1);
  EXPECT_THAT(take(watcher),
              ElementsAre(R"({"push":{"channel":"room","pub":{"data":{"seq":1}}}})"));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
