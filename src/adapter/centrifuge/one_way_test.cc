// Clients that only listen: a connect request comes, bare pushes go.
#include "adapter/centrifuge/codes.h"
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class OneWayTest : public CentrifugeTest {
 protected:
  OneWayTest() {
    auto& claims = world.tokens().connect_token("t", "42");
    claims.subscriptions.push_back({.channel = "news"});
  }
  FakeClient& open() {
    return world.open(factory, {.path = "/connection/uni_sse", .one_way = true});
  }
  Replies connect_with(FakeClient& client, const std::string& token = "t") {
    return ask(client, R"({"token":")" + token + "\"}");
  }
};

TEST_F(OneWayTest, TheConnectRequestIsAnsweredByAPush) {
  EXPECT_THAT(
      ask(open(), "{}"),
      ElementsAre(MatchesRegex(
          R"(\{"connect":\{"client":"[0-9a-f-]{36}","version":"0.1.0 Parley","ping":25,"session":"[0-9a-f-]{36}"\}\})")));
  EXPECT_THAT(ask(open(), "null"), ElementsAre(StartsWith(R"({"connect":)")));
}

TEST_F(OneWayTest, TheServersSubscriptionsArePushed) {
  publish("news", 1, 2);
  FakeClient& client = open();
  EXPECT_THAT(connect_with(client),
              ElementsAre(HasSubstr(R"("subs":{"news":{"recoverable":true,"epoch":")")));
  publish("news", 3, 3);
  EXPECT_THAT(take(client),
              ElementsAre(R"({"channel":"news","pub":{"data":{"seq":3},"offset":3}})"));
}

TEST_F(OneWayTest, ItRecoversByTheRequest) {
  publish("news", 1, 5);
  FakeClient& client = open();
  const Replies replies =
      ask(client, R"({"token":"t","subs":{"news":{"recover":true,"offset":3,"epoch":")" +
                      epoch("news") + "\"}}}");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_THAT(replies[0],
              HasSubstr(R"({"data":{"seq":4},"offset":4},{"data":{"seq":5},"offset":5})"));
  EXPECT_THAT(replies[0], HasSubstr(R"("recovered":true)"));
}

TEST_F(OneWayTest, WhatItSaysLaterIsIgnored) {
  FakeClient& client = open();
  ask(client, "{}");
  for (const auto* later : {"{}", R"({"id":2,"rpc":{}})", "nonsense"})
    EXPECT_THAT(ask(client, later), IsEmpty());
  EXPECT_FALSE(client.ended());
}

TEST_F(OneWayTest, PingsAreEmptyPushesAndWantNoPong) {
  FakeClient& client = open();
  ask(client, "{}");
  world.advance(seconds(26));
  EXPECT_THAT(take(client), ElementsAre("{}"));
  world.advance(seconds(60));
  EXPECT_THAT(take(client), ElementsAre("{}", "{}"));
  EXPECT_FALSE(client.ended());
}

TEST_F(OneWayTest, WhoDoesNotConfirmAPingIsGone) {
  FakeClient& client = open();
  ask(client, "{}");
  world.advance(seconds(26));
  client.unheard_for = milliseconds(7'999);
  world.advance(seconds(25));
  EXPECT_FALSE(client.ended());
  client.unheard_for = seconds(8);
  world.advance(seconds(25));
  EXPECT_EQ(disconnect(client), 3012);
}

TEST_F(OneWayTest, TheEndIsPushed) {
  FakeClient& client = open();
  ask(client, "{}");
  world.table().end_all(session::EndReason::kShutdown);
  EXPECT_THAT(take(client), ElementsAre(R"({"disconnect":{"code":3001,"reason":"shutdown"}})"));
  EXPECT_EQ(disconnect(client), 3001);
}

TEST_F(OneWayTest, ARefusedConnectIsADisconnect) {
  access.rules.anonymous = false;
  world.tokens().connect_token("old", "42").expires_at = in(-1);
  world.tokens().connect_token("lost", "42").subscriptions.push_back({.channel = "gone"});
  world.rules().remove("gone");
  const struct {
    std::string token;
    std::string disconnect;
  } kCases[] = {{"old", R"({"disconnect":{"code":3005,"reason":"connection expired"}})"},
                {"lost", R"({"disconnect":{"code":3004,"reason":"internal server error"}})"},
                {"forged", R"({"disconnect":{"code":3500,"reason":"invalid token"}})"},
                {"", R"({"disconnect":{"code":3501,"reason":"bad request"}})"}};
  for (const auto& [token, expected] : kCases)
    EXPECT_THAT(connect_with(open(), token), ElementsAre(expected)) << token;
}

TEST_F(OneWayTest, EachRefusalHasItsDisconnect) {
  using wire::ErrorCode;
  EXPECT_EQ(end_code(one_way_end(ErrorCode::kTokenExpired)).code, 3005);
  EXPECT_EQ(end_code(one_way_end(ErrorCode::kExpired)).code, 3005);
  EXPECT_EQ(end_code(one_way_end(ErrorCode::kTooManyRequests)).code, 3013);
  EXPECT_EQ(end_code(one_way_end(ErrorCode::kPermissionDenied)).code, 3507);
  EXPECT_EQ(end_code(one_way_end(ErrorCode::kUnknownChannel)).code, 3004);
}

// The transport says so in its own words.
TEST_F(OneWayTest, WhatIsNoRequestIsNotAnswered) {
  for (const auto* bad : {"", "{", "[]", R"({"token":1})"}) {
    FakeClient& client = open();
    EXPECT_THAT(ask(client, bad), IsEmpty());
    EXPECT_EQ(disconnect(client), 3501);
  }
}

TEST_F(OneWayTest, WhatTheBackendDoesIsPushed) {
  FakeClient& client = open();
  ask(client, "{}");
  hub::Control control;
  control.kind = hub::Control::Kind::kSubscribe;
  control.channel = "plain";
  world.control(control);
  EXPECT_THAT(take(client), ElementsAre(R"({"channel":"plain","subscribe":{}})"));
  control.kind = hub::Control::Kind::kUnsubscribe;
  world.control(control);
  EXPECT_THAT(
      take(client),
      ElementsAre(
          R"({"channel":"plain","unsubscribe":{"code":2000,"reason":"server unsubscribe"}})"));
}

// The secret name of the push is the one by which the backend may address the session.
TEST_F(OneWayTest, TheBackendMayNameItsSession) {
  FakeClient& client = open();
  const std::string session = between(ask(client, "{}").at(0), R"("session":")", "\"");
  FakeClient& other = open();
  ask(other, "{}");
  hub::Control control;
  control.session = session;
  control.code = 4000;
  world.control(control);
  EXPECT_EQ(disconnect(client), 4000);
  EXPECT_EQ(disconnect(other), 0);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
