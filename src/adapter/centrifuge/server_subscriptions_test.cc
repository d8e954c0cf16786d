// Subscriptions that the server makes at connect.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ServerSubscriptionsTest : public CentrifugeTest {
 protected:
  explicit ServerSubscriptionsTest(Options options = {.ping_interval = seconds(0)})
      : CentrifugeTest(std::move(options)) {
    access.rules.anonymous = false;
    grant({"a", "b"});
    world.tokens().connect_token("me", "42");
  }
  void grant(const std::vector<std::string>& channels) {
    auto& claims = world.tokens().connect_token("with channels", "42");
    claims.subscriptions.clear();
    for (const std::string& channel : channels)
      claims.subscriptions.push_back({.channel = channel});
  }
  Replies connect_asking(FakeClient& client, const std::string& token,
                         const std::string& subs = "{}") {
    return ask(client, R"({"id":1,"connect":{"token":")" + token + R"(","subs":)" + subs + "}}");
  }
  std::string recover(const std::string& channel, int offset) {
    return R"({")" + channel + R"(":{"recover":true,"offset":)" + std::to_string(offset) +
           R"(,"epoch":")" + epoch(channel) + "\"}}";
  }
  uint16_t code_of(const std::string& subs, const std::string& token = "me") {
    FakeClient& client = open();
    connect_asking(client, token, subs);
    return disconnect(client);
  }
};

TEST_F(ServerSubscriptionsTest, TheTokenSubscribes) {
  world.rules().set("b", {});
  auto& claims = world.tokens().connect_token("with channels", "42");
  claims.subscriptions[1].data = R"({"k":1})";
  publish("a", 1, 3);
  FakeClient& client = open();
  EXPECT_THAT(connect_asking(client, "with channels"),
              ElementsAre(HasSubstr(R"("subs":{"a":{"recoverable":true,"epoch":")" + epoch("a") +
                                    R"(","offset":3,"positioned":true},"b":{"data":{"k":1}}})")));
  publish("a", 4, 4);
  publish("b", 1, 1);
  EXPECT_THAT(take(client), SizeIs(2));
  EXPECT_THAT(ask(client, R"({"id":2,"subscribe":{"channel":"a"}})"),
              ElementsAre(HasSubstr(R"("code":105)")));
}

// As in Centrifugo: what stands in connect.subs is a position, and a wish for what the client could
// subscribe to without a token. A private channel takes its token in a subscribe.
TEST_F(ServerSubscriptionsTest, TokensInConnectSubsOpenNothing) {
  access.denied = {"$p"};
  world.tokens().subscribe_token("good", "$p", "42");
  world.tokens().bad["late"] = auth::TokenError::kExpired;
  FakeClient& client = open();
  const Replies replies = connect_asking(
      client, "me", R"({"$p":{"token":"good"},"c":{"token":"late"},"d":{"token":"forged"}})");
  EXPECT_THAT(replies.at(0), Not(HasSubstr("$p")));
  EXPECT_THAT(replies.at(0), AllOf(HasSubstr(R"("c":{)"), HasSubstr(R"("d":{)")));
  EXPECT_THAT(ask(client, R"({"id":2,"subscribe":{"channel":"$p","token":"good"}})").at(0),
              HasSubstr(R"("subscribe":{)"));
}

TEST_F(ServerSubscriptionsTest, NothingOfThemComesBeforeTheReply) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.force_push_join_leave = true;
  world.rules().set("b", options);
  FakeClient& client = open();
  world.publish_later("a", testing::json("1"));
  client.send(R"({"id":1,"connect":{"token":"with channels"}})");
  for (int i = 0; i < 5; ++i) world.publish_later("a", testing::json("2"));
  const Replies replies = take(client);
  EXPECT_THAT(replies.at(0), HasSubstr(R"({"id":1,"connect":)"));
  EXPECT_THAT(replies.back(), Not(HasSubstr(R"("connect":)")));
  EXPECT_EQ(std::ranges::count_if(replies, [](auto& r) { return r.contains(R"("join":)"); }), 1);
}

TEST_F(ServerSubscriptionsTest, RecoversFromWhereTheClientStood) {
  publish("a", 1, 3);
  FakeClient& client = open();
  EXPECT_THAT(connect_asking(client, "with channels", recover("a", 1)),
              ElementsAre(HasSubstr(
                  R"("publications":[{"data":{"seq":2},"offset":2},{"data":{"seq":3},"offset":3}],)"
                  R"("recovered":true,"offset":1,"positioned":true,"was_recovering":true})")));
  FakeClient& ahead = open();
  EXPECT_THAT(connect_asking(ahead, "with channels", recover("a", 9)).at(0),
              HasSubstr(R"("offset":3,"positioned":true,"was_recovering":true})"));
}

class ServerReplyRoomTest : public ServerSubscriptionsTest {
 protected:
  ServerReplyRoomTest()
      : ServerSubscriptionsTest({.ping_interval = seconds(0), .reply_bytes = 3000}) {}
};

TEST_F(ServerReplyRoomTest, WhatDoesNotFitIntoTheReplyFollowsIt) {
  publish("a", 1, 6);
  publish("b", 1, 6);
  FakeClient& client = open();
  const std::string both =
      recover("a", 1).substr(0, recover("a", 1).size() - 1) + "," + recover("b", 1).substr(1);
  const Replies replies = connect_asking(client, "with channels", both);
  EXPECT_THAT(replies, SizeIs(6)) << "one channel inside, the other behind";
  size_t offsets = 0;
  for (const std::string& reply : replies)
    for (size_t at = 0; (at = reply.find(R"({"seq":)", at)) != reply.npos; ++at) ++offsets;
  EXPECT_EQ(offsets, 10u);
}

TEST_F(ServerSubscriptionsTest, OtherWishesAreHonouredIfTheClientCouldSubscribe) {
  access.denied = {"secret"};
  FakeClient& client = open();
  const Replies replies = connect_asking(client, "me", R"({"open":{},"secret":{}})");
  EXPECT_THAT(replies.at(0), HasSubstr(R"("subs":{"open":{)"));
  EXPECT_THAT(replies.at(0), Not(HasSubstr("secret")));
  EXPECT_EQ(world.subscribers().size(), 1u);
  access.unknown = {"no:such"};
  EXPECT_EQ(code_of(R"({"no:such":{}})"), 3501);
  world.rules().remove("gone");
  EXPECT_EQ(code_of(R"({"gone":{}})"), 3501);
}

TEST_F(ServerSubscriptionsTest, AnyErrorFailsTheWholeConnect) {
  world.rules().remove("gone");
  const std::pair<const char*, const char*> cases[] = {{"gone", "102"}, {"\xc3\xa4", "107"}};
  for (const auto& [channel, code] : cases) {
    grant({"a", channel});
    FakeClient& client = open();
    EXPECT_THAT(connect_asking(client, "with channels"),
                ElementsAre(HasSubstr(std::string(R"({"id":1,"error":{"code":)") + code)));
    EXPECT_THAT(world.subscribers(), IsEmpty());
    EXPECT_EQ(disconnect(client, R"({"id":2,"rpc":{}})"), 3501);
  }
}

TEST_F(ServerSubscriptionsTest, ThePersonalChannel) {
  access.rules.personal_channel = true;
  FakeClient& client = open();
  EXPECT_THAT(connect_asking(client, "me").at(0), HasSubstr(R"("subs":{"#42":{)"));
  publish("#42", 1, 1);
  EXPECT_THAT(take(client), SizeIs(1));
  grant({"#42"});
  EXPECT_THAT(connect_asking(open(), "with channels").at(0), HasSubstr(R"("subs":{"#42":{)"));
}

TEST_F(ServerSubscriptionsTest, ASingleConnectionOfAUser) {
  access.rules.personal_channel = access.rules.single_connection = true;
  world.tokens().connect_token("other", "43");
  FakeClient& older = open();
  connect_asking(older, "me");
  FakeClient& other = open();
  connect_asking(other, "other");
  FakeClient& newer = open();
  EXPECT_THAT(connect_asking(newer, "me"), SizeIs(1));
  EXPECT_EQ(disconnect(older), 3504);
  EXPECT_EQ(disconnect(other), 0);
  EXPECT_EQ(disconnect(newer), 0);
}

TEST_F(ServerSubscriptionsTest, CommandsBehindConnectWaitForThem) {
  FakeClient& client = open();
  const Replies replies =
      ask(client,
          "{\"id\":1,\"connect\":{\"token\":\"with channels\"}}\n"
          "{\"id\":2,\"rpc\":{}}\n{\"id\":3,\"subscribe\":{\"channel\":\"a\"}}");
  EXPECT_THAT(replies, ElementsAre(HasSubstr(R"({"id":1,"connect":)"),
                                   HasSubstr(R"({"id":2,"error":{"code":108)"),
                                   HasSubstr(R"({"id":3,"error":{"code":105)")));
}

TEST_F(ServerSubscriptionsTest, AClientThatLeavesMeanwhile) {
  FakeClient& client = open();
  client.send(R"({"id":1,"connect":{"token":"with channels"}})");
  client.leave();
  world.run();
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

class FewChannelsTest : public ServerSubscriptionsTest {
 protected:
  FewChannelsTest() : ServerSubscriptionsTest({.channel_limit = 2}) {}
};

TEST_F(FewChannelsTest, TooManyAreTheEnd) {
  EXPECT_EQ(code_of("{}", "with channels"), 0);
  EXPECT_EQ(code_of(R"({"c":{}})", "with channels"), 3505);
  grant({"a", "b", "c"});
  EXPECT_EQ(code_of("{}", "with channels"), 3505);
}

TEST_F(ServerSubscriptionsTest, LostPositionsEndTheConnection) {
  FakeClient& client = open();
  connect_asking(client, "with channels");
  world.broker().interject([](hub::BrokerEvents& events) {
    events.on_reset({"a"}, {.epoch = {.boot = 77, .counter = 7}}, hub::GapReason::kEpochChanged);
  });
  EXPECT_EQ(disconnect(client), 3010);
}

TEST_F(ServerSubscriptionsTest, TheClientMayLeaveThem) {
  FakeClient& client = open();
  connect_asking(client, "with channels");
  EXPECT_THAT(ask(client, R"({"id":2,"unsubscribe":{"channel":"a"}})"),
              ElementsAre(R"({"id":2,"unsubscribe":{}})"));
  EXPECT_EQ(world.subscribers().size(), 1u);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
