// How many connections a user may have, and what is asked of the node for each command.
#include "base/hash.h"
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/fake_quotas.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

struct HasQuotas {
  testing::FakeQuotas quotas;
};

class UserLimitTest : public HasQuotas, public CentrifugeTest {
 protected:
  UserLimitTest() : CentrifugeTest({}, {.quotas = &quotas}) {
    world.tokens().connect_token("ann", "ann");
    world.tokens().connect_token("bob", "bob");
  }
  static constexpr char kAnn[] = R"({"id":1,"connect":{"token":"ann"}})";
  static constexpr char kPublish[] = R"({"id":2,"publish":{"channel":"a","data":{}}})";
  static constexpr char kSubscribe[] = R"({"id":3,"subscribe":{"channel":"a"}})";
};

TEST_F(UserLimitTest, OneMoreThanAllowedIsToldSoInsteadOfAReply) {
  const testing::MetricDelta ended(R"(parley_sessions_ended_total{reason="user_limit"})");
  quotas.connections = 2;
  connect_with("ann");
  FakeClient& second = connect_with("ann");
  FakeClient& third = open();
  EXPECT_EQ(ask(third, kAnn), Replies{});
  EXPECT_EQ(disconnect(third), 3504);
  EXPECT_EQ(ended(), 1);
  EXPECT_EQ(disconnect(second), 0);
  connect_with("bob");
  second.leave();
  EXPECT_EQ(disconnect(connect_with("ann")), 0) << "there is room again";
}

TEST_F(UserLimitTest, AnonymousClientsAreNoUser) {
  quotas.connections = 1;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(disconnect(connect()), 0);
  EXPECT_EQ(quotas.of_all(), 0u);
}

TEST_F(UserLimitTest, WhoeverEndsIsNoLongerCounted) {
  for (int i = 0; i < 3; ++i) connect_with("ann").leave();
  FakeClient& bad = connect_with("ann");
  EXPECT_EQ(disconnect(bad, "nonsense"), 3501);
  world.run();
  EXPECT_EQ(quotas.of_all(), 0u);
}

TEST_F(UserLimitTest, TheNewestOfOneConnectionAlwaysComesIn) {
  quotas.connections = 1;
  access.rules.personal_channel = access.rules.single_connection = true;
  FakeClient& first = connect_with("ann");
  FakeClient& second = connect_with("ann");
  EXPECT_EQ(disconnect(first), 3504);
  EXPECT_EQ(disconnect(second), 0);
  EXPECT_EQ(quotas.of_all(), 1u);
}

TEST_F(UserLimitTest, WhatComesBehindTheConnectIsCountedForTheUser) {
  FakeClient& client = open();
  ask(client, std::string(kAnn) + "\n" + kPublish);
  EXPECT_EQ(quotas.asked[static_cast<size_t>(Operation::kPublish)], 1u);
  EXPECT_EQ(quotas.last.user, SeededHash{}("ann"));
}

TEST_F(UserLimitTest, CommandsAboveTheNodesRateAreRefused) {
  FakeClient& client = connect_with("ann");
  quotas.left = 1;
  EXPECT_THAT(ask(client, kSubscribe).at(0), ::testing::HasSubstr(R"("subscribe":{)"));
  EXPECT_THAT(ask(client, kPublish).at(0), ::testing::HasSubstr(R"("code":111)"));
  quotas.left.reset();
  EXPECT_THAT(ask(client, kPublish).back(), ::testing::HasSubstr(R"("publish":{})"));
}

// A made-up key id is answered with "try again", and no signature is looked at: what it costs is
// the allowance.
TEST_F(UserLimitTest, TokensThatCannotBeJudgedNowAreCommandsToo) {
  world.tokens().bad["later"] = auth::TokenError::kUnavailable;
  FakeClient& client = connect_with("ann");
  quotas.left = 2;
  const std::string refresh = R"({"id":2,"refresh":{"token":"later"}})";
  const std::string subscribe = R"({"id":3,"subscribe":{"channel":"$p","token":"later"}})";
  EXPECT_THAT(ask(client, refresh).at(0), ::testing::HasSubstr(R"("code":100)"));
  EXPECT_THAT(ask(client, subscribe).at(0), ::testing::HasSubstr(R"("code":100)"));
  const size_t looked_at = world.tokens().looked_at;
  for (const std::string& command : {refresh, subscribe})
    EXPECT_THAT(ask(client, command).at(0), ::testing::HasSubstr(R"("code":111)"));
  EXPECT_EQ(world.tokens().looked_at, looked_at);
}

class StubbornTest : public HasQuotas, public CentrifugeTest {
 protected:
  StubbornTest() : CentrifugeTest({.refusals = {.per_second = 5}}, {.quotas = &quotas}) {}
};

TEST_F(StubbornTest, WhoGoesOnNeverthelessIsDisconnected) {
  const testing::MetricDelta ended(R"(parley_sessions_ended_total{reason="too_many_requests"})");
  FakeClient& client = connect();
  quotas.left = 0;
  const std::string command = R"({"id":2,"presence_stats":{"channel":"a"}})";
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(client, command).size(), 1u);
    world.advance(milliseconds(250));
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(disconnect(client, command), 0) << i;
  EXPECT_EQ(disconnect(client, command), 3013);
  EXPECT_EQ(ended(), 1);
}

class ChannelRateTest : public CentrifugeTest {
 protected:
  ChannelRateTest() {
    hub::ChannelOptions options;
    options.publish_rate = {.per_second = 3};
    world.rules().set("limited", options);
  }
  static bool refused(const Replies& replies) {
    return replies.at(0).find(R"("code":111)") != std::string::npos;
  }
};

TEST_F(ChannelRateTest, AChannelTakesSoManyOfAllClientsTogether) {
  const testing::MetricDelta counted(R"(parley_hub_refused_total{reason="rate_limited"})");
  FakeClient& one = connect();
  FakeClient& other = connect();
  const std::string publish = R"({"id":2,"publish":{"channel":"limited","data":{}}})";
  const std::string elsewhere = R"({"id":2,"publish":{"channel":"plain","data":{}}})";
  int taken = 0;
  for (int i = 0; i < 10; ++i)
    for (FakeClient* client : {&one, &other}) taken += refused(ask(*client, publish)) ? 0 : 1;
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(counted(), 17);
  EXPECT_FALSE(refused(ask(one, elsewhere)));
  for (int i = 0; i < 10; ++i) world.publish("limited", "{}");  // as the server API does
  world.advance(seconds(1));
  EXPECT_FALSE(refused(ask(one, publish)));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
