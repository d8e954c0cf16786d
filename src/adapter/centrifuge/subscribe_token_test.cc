// Subscribe with a token, what it may say of the subscription, and its races.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using auth::TokenError;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SubscribeTokenTest : public CentrifugeTest {
 protected:
  SubscribeTokenTest() : CentrifugeTest({.ping_interval = seconds(0)}) {
    world.rules().set("$p", {});
    hub::ChannelOptions room;
    room.presence = room.join_leave = true;
    world.rules().set("room", room);
    access.denied = {"$p", "room"};
    world.tokens().connect_token("me", "42");
    world.tokens().subscribe_token("good", "$p", "42");
  }
  static std::string subscribe(const std::string& token, const std::string& channel = "$p",
                               const std::string& more = "") {
    return R"({"id":2,"subscribe":{"channel":")" + channel + R"(","token":")" + token + "\"" +
           more + "}}";
  }
  static std::string error(int code, const std::string& message) {
    return R"({"id":2,"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message +
           "\"}}";
  }
};

constexpr const char* kUnsubscribe = R"({"id":3,"unsubscribe":{"channel":"$p"}})";

TEST_F(SubscribeTokenTest, ATokenOpensAPrivateChannel) {
  FakeClient& client = connect_with("me");
  EXPECT_THAT(ask(client, R"({"id":2,"subscribe":{"channel":"$p"}})"),
              ElementsAre(error(103, "permission denied")));
  EXPECT_THAT(ask(client, subscribe("good")), ElementsAre(R"({"id":2,"subscribe":{}})"));
  publish("$p", 1, 1);
  EXPECT_THAT(take(client), SizeIs(1));
}

TEST_F(SubscribeTokenTest, BadTokensAreErrors) {
  world.tokens().bad["old"] = TokenError::kExpired;
  world.tokens().bad["later"] = TokenError::kUnavailable;
  world.tokens().subscribe_token("over", "$p", "42").expires_at = in(0);
  FakeClient& client = connect_with("me");
  EXPECT_THAT(ask(client, subscribe("forged")), ElementsAre(error(103, "permission denied")));
  EXPECT_THAT(ask(client, subscribe("old")), ElementsAre(error(109, "token expired")));
  EXPECT_THAT(ask(client, subscribe("over")), ElementsAre(error(110, "expired")));
  EXPECT_THAT(ask(client, subscribe("later")), ElementsAre(HasSubstr(R"("code":100)")));
  EXPECT_THAT(ask(client, subscribe("me")), ElementsAre(error(103, "permission denied")))
      << "a connection token is no subscription token";
  EXPECT_THAT(world.subscribers(), IsEmpty());
  EXPECT_THAT(ask(client, subscribe("good")), ElementsAre(R"({"id":2,"subscribe":{}})"))
      << "nothing is left of the attempts";
}

TEST_F(SubscribeTokenTest, TheTokenMustBeForThisClientAndChannel) {
  world.tokens().subscribe_token("somebody", "$p", "43");
  world.tokens().subscribe_token("elsewhere", "$q", "42");
  world.tokens().subscribe_token("stranger", "$p", "42").client = "no such";
  for (const auto* token : {"somebody", "elsewhere", "stranger"})
    EXPECT_EQ(disconnect(connect_with("me"), subscribe(token)), 3500) << token;
  FakeClient& client = connect_with("me");
  world.tokens().subscribe_token("mine", "$p", "42").client = last_id;
  EXPECT_EQ(disconnect(client, subscribe("mine")), 0);
}

TEST_F(SubscribeTokenTest, ChannelsThatDoNotExistStayClosed) {
  access.unknown = {"no:such"};
  FakeClient& client = connect_with("me");
  EXPECT_THAT(ask(client, subscribe("good", "no:such")),
              ElementsAre(error(102, "unknown channel")));
  EXPECT_THAT(ask(client, subscribe("good", "\xc3\xa4")), ElementsAre(error(107, "bad request")));
}

TEST_F(SubscribeTokenTest, TheTokenGivesInfoAndData) {
  auto& claims = world.tokens().subscribe_token("full", "room", "42");
  claims.grant.info = R"({"role":"host"})";
  claims.grant.data = R"({"topic":"x"})";
  FakeClient& client = connect_with("me");
  const Replies replies = ask(client, subscribe("full", "room", R"(,"join_leave":true)"));
  ASSERT_THAT(replies, SizeIs(1)) << "presence of this channel is not for this client";
  EXPECT_EQ(replies[0], R"({"id":2,"subscribe":{"data":{"topic":"x"}}})");
  access.denied.clear();
  EXPECT_THAT(ask(client, R"({"id":3,"presence":{"channel":"room"}})").at(0),
              HasSubstr(R"("chan_info":{"role":"host"})"));
  EXPECT_THAT(ask(client, R"({"id":4,"publish":{"channel":"room","data":1}})").at(0),
              HasSubstr(R"("chan_info":{"role":"host"})"));
}

TEST_F(SubscribeTokenTest, DataThatIsNotJsonIsMadeSo) {
  world.tokens().subscribe_token("text", "$p", "42").grant.data = "plain";
  EXPECT_THAT(ask(connect_with("me"), subscribe("text")),
              ElementsAre(R"({"id":2,"subscribe":{"data":"plain"}})"));
}

TEST_F(SubscribeTokenTest, TheTokenOverridesTheNamespace) {
  world.rules().set("$p", history_only());
  world.tokens().subscribe_token("more", "$p", "42").grant.overrides = {.force_positioning = true,
                                                                        .force_recovery = true};
  EXPECT_THAT(ask(connect_with("me"), subscribe("more")).at(0),
              HasSubstr(R"("subscribe":{"recoverable":true,"epoch":")"));
  world.rules().set("$p", testing::FakeRules::usual());
  world.tokens().subscribe_token("less", "$p", "42").grant.overrides = {
      .presence = false, .force_positioning = false, .force_recovery = false};
  FakeClient& client = connect_with("me");
  EXPECT_THAT(ask(client, subscribe("less")), ElementsAre(R"({"id":2,"subscribe":{}})"));
  EXPECT_EQ(std::get<hub::PresenceCounts>(*world.presence_counts("$p")).clients, 0u);
}

TEST_F(SubscribeTokenTest, TheTokenDecidesWhoIsToldJoins) {
  world.tokens().subscribe_token("told", "room", "42").grant.overrides = {.force_push_join_leave =
                                                                              true};
  world.tokens().subscribe_token("untold", "room", "42").grant.overrides = {.join_leave = false};
  EXPECT_THAT(ask(connect_with("me"), subscribe("told", "room")), SizeIs(2));
  access.denied.clear();
  FakeClient& quiet = connect_with("me");
  EXPECT_THAT(ask(quiet, subscribe("untold", "room", R"(,"join_leave":true)")), SizeIs(1))
      << "its own join is not told";
  ask(connect(), R"({"id":2,"subscribe":{"channel":"room"}})");
  EXPECT_THAT(take(quiet), ElementsAre(HasSubstr(R"("join":)"))) << "but it hears of others";
}

TEST_F(SubscribeTokenTest, TheTokenDecidesWhetherJoinsAreTold) {
  world.tokens().subscribe_token("loud", "$p", "42").grant.overrides = {
      .join_leave = true, .force_push_join_leave = true};
  FakeClient& watcher = connect_with("me");
  EXPECT_THAT(ask(watcher, subscribe("loud")), SizeIs(2)) << "though the namespace tells no joins";
  FakeClient& second = connect_with("me");
  ask(second, subscribe("good"));
  EXPECT_THAT(take(watcher), IsEmpty()) << "its token does not say so";
  ask(second, kUnsubscribe);
  ask(second, subscribe("loud"));
  EXPECT_THAT(take(watcher), ElementsAre(HasSubstr(R"("join":)")));
  second.leave();
  EXPECT_THAT(take(watcher), ElementsAre(HasSubstr(R"("leave":)")));
}

TEST_F(SubscribeTokenTest, TheTokenDecidesWhoIsPresent) {
  world.tokens().subscribe_token("hidden", "room", "42").grant.overrides = {.presence = false};
  FakeClient& client = connect_with("me");
  access.denied.clear();
  EXPECT_THAT(ask(client, subscribe("hidden", "room", R"(,"join_leave":true)")), SizeIs(2))
      << "joins are another matter";
  EXPECT_EQ(std::get<hub::PresenceCounts>(*world.presence_counts("room")).clients, 0u);
  world.tokens().subscribe_token("shown", "$p", "42").grant.overrides = {.presence = true};
  ask(connect_with("me"), subscribe("shown"));
  EXPECT_EQ(world.presence_counts("$p").error(), hub::HubError::kNotAvailable)
      << "who asks is still answered by the namespace";
  hub::ChannelOptions options;
  options.presence = true;
  world.rules().set("$p", options);
  EXPECT_EQ(std::get<hub::PresenceCounts>(*world.presence_counts("$p")).clients, 1u);
}

TEST_F(SubscribeTokenTest, NamespacesMayAllowPositionsAndForceJoins) {
  hub::ChannelOptions options = history_only();
  options.allow_positioned = options.allow_recoverable = true;
  options.presence = options.join_leave = options.force_push_join_leave = true;
  world.rules().set("asked", options);
  access.denied_verbs = {{auth::Verb::kHistory, "asked"}, {auth::Verb::kJoinLeave, "asked"}};
  const auto asked = [&](const std::string& more) {
    return ask(connect_with("me"), R"({"id":2,"subscribe":{"channel":"asked")" + more + "}}");
  };
  EXPECT_THAT(asked(R"(,"positioned":true)").at(0), HasSubstr(R"("positioned":true)"));
  EXPECT_THAT(asked(R"(,"recoverable":true)").at(0), HasSubstr(R"("recoverable":true)"));
  EXPECT_THAT(asked(""), SizeIs(2)) << "the own join, without asking for it";
  options.allow_positioned = options.allow_recoverable = options.force_push_join_leave = false;
  world.rules().set("asked", options);
  EXPECT_THAT(asked(R"(,"positioned":true,"recoverable":true,"join_leave":true)"),
              ElementsAre(R"({"id":2,"subscribe":{}})"));
}

TEST_F(SubscribeTokenTest, SubscribersMayDoWhatOthersMayNot) {
  world.rules().set("news", testing::FakeRules::usual());
  access.subscribers_only = {"news"};
  FakeClient& client = connect_with("me");
  const Replies frames{R"({"id":3,"publish":{"channel":"news","data":1}})",
                       R"({"id":3,"history":{"channel":"news"}})",
                       R"({"id":3,"presence":{"channel":"news"}})",
                       R"({"id":3,"presence_stats":{"channel":"news"}})"};
  for (const std::string& frame : frames)
    EXPECT_THAT(ask(client, frame).at(0), HasSubstr(R"("code":103)")) << frame;
  ask(client, R"({"id":2,"subscribe":{"channel":"news"}})");
  for (const std::string& frame : frames)
    EXPECT_THAT(ask(client, frame).back(), Not(HasSubstr("error"))) << frame;
}

class SlowSubscribeTest : public SubscribeTokenTest {
 protected:
  FakeClient& verifying(const std::string& token = "good") {
    world.tokens().slow = false;
    FakeClient& client = connect_with("me");
    world.tokens().slow = true;
    EXPECT_THAT(ask(client, subscribe(token)), IsEmpty());
    return client;
  }
};

TEST_F(SlowSubscribeTest, AnUnsubscribeWaits) {
  FakeClient& client = verifying();
  EXPECT_THAT(ask(client, kUnsubscribe), IsEmpty());
  world.tokens().answer_all();
  EXPECT_THAT(take(client),
              ElementsAre(R"({"id":2,"subscribe":{}})", R"({"id":3,"unsubscribe":{}})"));
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SlowSubscribeTest, AnUnsubscribeWaitsForARefusalToo) {
  FakeClient& client = verifying("forged");
  ask(client, kUnsubscribe);
  world.tokens().answer_all();
  EXPECT_THAT(take(client),
              ElementsAre(error(103, "permission denied"), R"({"id":3,"unsubscribe":{}})"));
}

TEST_F(SlowSubscribeTest, AnUnsubscribeDoesNotWaitForEver) {
  FakeClient& client = verifying();
  ask(client, kUnsubscribe);
  world.advance(milliseconds(4900));
  EXPECT_EQ(disconnect(client), 0);
  world.advance(milliseconds(200));
  EXPECT_EQ(disconnect(client), 3004);
  world.tokens().answer_all();
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SlowSubscribeTest, ASecondSubscribeIsRefused) {
  FakeClient& client = verifying();
  EXPECT_THAT(ask(client, subscribe("good")), ElementsAre(error(105, "already subscribed")));
  world.tokens().answer_all();
  EXPECT_THAT(take(client), ElementsAre(R"({"id":2,"subscribe":{}})"));
}

TEST_F(SlowSubscribeTest, ASubscribeBehindAnUnsubscribeIsAnAttemptOfItsOwn) {
  FakeClient& client = verifying("forged");
  ask(client, kUnsubscribe);
  ask(client, subscribe("good"));
  world.tokens().answer_all();
  EXPECT_THAT(take(client),
              ElementsAre(error(103, "permission denied"), R"({"id":3,"unsubscribe":{}})",
                          R"({"id":2,"subscribe":{}})"));
  EXPECT_EQ(world.subscribers()["$p"], 1u);
}

TEST_F(SlowSubscribeTest, AClientThatLeavesMeanwhile) {
  FakeClient& left = verifying();
  FakeClient& ended = verifying();
  left.leave();
  EXPECT_EQ(disconnect(ended, "{"), 3501);
  world.tokens().answer_all();
  world.run();
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SlowSubscribeTest, TheBackendUnsubscribesMeanwhile) {
  FakeClient& client = verifying();
  hub::Control control;
  control.kind = hub::Control::Kind::kUnsubscribe;
  control.user = "42";
  control.channel = "$p";
  world.control(control);
  world.tokens().answer_all();
  EXPECT_THAT(take(client), ElementsAre(R"({"id":2,"subscribe":{}})", HasSubstr(R"("code":2000)")));
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

}  // namespace
}  // namespace parley::adapter::centrifuge
