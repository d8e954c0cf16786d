// Connect with a token: who it is, why it is refused, and that connect is a barrier.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using auth::TokenError;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConnectTokenTest : public CentrifugeTest {
 protected:
  explicit ConnectTokenTest(Options options = {}) : CentrifugeTest(std::move(options)) {
    access.rules.anonymous = false;
    world.tokens().connect_token("good", "42").info = R"({"name":"A"})";
  }
  static std::string error(int code, const std::string& message) {
    return R"({"id":1,"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message +
           "\"}}";
  }
};

TEST_F(ConnectTokenTest, TheTokenSaysWhoItIs) {
  FakeClient& client = connect_with("good");
  ask(client, R"({"id":2,"subscribe":{"channel":"news"}})");
  EXPECT_THAT(
      ask(client, R"({"id":3,"presence":{"channel":"news"}})"),
      ElementsAre(R"({"id":3,"presence":{"presence":{")" + last_id +
                  R"(":{"user":"42","client":")" + last_id + R"(","conn_info":{"name":"A"}}}}})"));
}

TEST_F(ConnectTokenTest, InfoThatIsNotJsonIsMadeSo) {
  world.tokens().connect_token("text", "1").info = "plain";
  world.tokens().connect_token("binary", "2").info = std::string("\x00\xff", 2);
  ask(connect_with("text"), R"({"id":2,"subscribe":{"channel":"news"}})");
  const std::string first = last_id;
  FakeClient& client = connect_with("binary");
  ask(client, R"({"id":2,"subscribe":{"channel":"news"}})");
  const Replies replies = ask(client, R"({"id":3,"presence":{"channel":"news"}})");
  EXPECT_THAT(replies.at(0), HasSubstr(R"("conn_info":"plain")"));
  EXPECT_THAT(replies.at(0), HasSubstr(R"("conn_info":{"base64":"AP8="})"));
}

TEST_F(ConnectTokenTest, BadTokensDisconnect) {
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"forged"}})"), 3500);
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{}})"), 3501);
  world.tokens().connect_token("nobody");
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"nobody"}})"), 0);
  access.rules.anonymous_tokens = false;
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"nobody"}})"), 3507);
}

TEST_F(ConnectTokenTest, ATokenMustBeGoodEvenWhereNoneIsNeeded) {
  access.rules.anonymous = true;
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"forged"}})"), 3500);
  access.rules = {.insecure = true};
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"forged"}})"), 3500);
}

TEST_F(ConnectTokenTest, AnErrorReplyMakesTheConnectionUnusable) {
  world.tokens().bad["old"] = TokenError::kExpired;
  world.tokens().bad["later"] = TokenError::kUnavailable;
  world.tokens().connect_token("over", "42").expires_at = in(0);
  const std::pair<const char*, std::string> cases[] = {
      {"old", error(109, "token expired")},
      {"over", error(110, "expired")},
      {"later",
       R"({"id":1,"error":{"code":100,"message":"internal server error","temporary":true}})"}};
  for (const auto& [token, reply] : cases) {
    FakeClient& client = open();
    const std::string frame = R"({"id":1,"connect":{"token":")" + std::string(token) + "\"}}";
    EXPECT_THAT(ask(client, frame + "\n{\"id\":2,\"rpc\":{}}"), ElementsAre(reply))
        << "the rest of the frame is not read";
    EXPECT_EQ(disconnect(client), 0);
    EXPECT_EQ(disconnect(client, R"({"id":3,"connect":{}})"), 3501);
  }
  FakeClient& idle = open();
  ask(idle, R"({"id":1,"connect":{"token":"old"}})");
  world.advance(seconds(11));
  EXPECT_EQ(disconnect(idle), 3502);
}

TEST_F(ConnectTokenTest, AProxyMayNameTheUser) {
  access.rules.user_header = "X-User";
  FakeClient& named =
      world.open(factory, {.path = "/connection/websocket", .headers = {{"x-user", "77"}}});
  ask(named, R"({"id":1,"connect":{}})");
  ask(named, R"({"id":2,"subscribe":{"channel":"news"}})");
  EXPECT_THAT(ask(named, R"({"id":3,"presence":{"channel":"news"}})").at(0),
              HasSubstr(R"("user":"77")"));
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{}})"), 3501) << "no header, no user";
  // Where anybody may come, the header is not looked at; a token wins over it.
  access.rules.anonymous = true;
  FakeClient& shadowed =
      world.open(factory, {.path = "/connection/websocket", .headers = {{"x-user", "78"}}});
  ask(shadowed, R"({"id":1,"connect":{}})");
  ask(shadowed, R"({"id":2,"subscribe":{"channel":"other"}})");
  EXPECT_THAT(ask(shadowed, R"({"id":3,"presence":{"channel":"other"}})").at(0),
              HasSubstr(R"("user":"")"));
}

TEST_F(ConnectTokenTest, TellsTheTimeOfExpiry) {
  world.tokens().connect_token("hour", "42").expires_at = in(3600);
  world.tokens().connect_token("ages", "42").expires_at = INT64_MAX;
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{"token":"hour"}})").at(0),
              HasSubstr(R"("expires":true,"ttl":3600,)"));
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{"token":"ages"}})").at(0),
              HasSubstr(R"("ttl":31536000,)"));
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{"token":"good"}})").at(0),
              ::testing::Not(HasSubstr("expires")));
  access.rules.insecure = true;
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{"token":"hour"}})").at(0),
              ::testing::Not(HasSubstr("expires")));
}

class ServerTimeTest : public ConnectTokenTest {
 protected:
  ServerTimeTest() : ConnectTokenTest({.include_server_time = true}) {}
};

TEST_F(ServerTimeTest, TellsTheTimeIfConfigured) {
  EXPECT_THAT(ask(open(), R"({"id":1,"connect":{"token":"good"}})").at(0),
              HasSubstr(R"("time":)" + std::to_string(world.now().wall)));
}

class SlowTokenTest : public ConnectTokenTest {
 protected:
  explicit SlowTokenTest(Options options = {}) : ConnectTokenTest(std::move(options)) {
    world.tokens().slow = true;
    world.rules().set("news", {});
  }
};

TEST_F(SlowTokenTest, WhatComesBehindConnectWaitsForIt) {
  FakeClient& client = open();
  client.send(
      "{\"id\":1,\"connect\":{\"token\":\"good\"}}\n"
      "{\"id\":2,\"subscribe\":{\"channel\":\"news\"}}\n"
      "{\"id\":3,\"rpc\":{}}");
  EXPECT_THAT(ask(client, R"({"id":4,"unsubscribe":{"channel":"news"}})"), IsEmpty());
  world.tokens().answer_all();
  const Replies replies = take(client);
  ASSERT_THAT(replies, SizeIs(4));
  EXPECT_THAT(replies[0], HasSubstr(R"({"id":1,"connect":)"));
  EXPECT_THAT(replies[1], HasSubstr(R"({"id":3,"error":)")) << "rpc waits for no subscribe";
  EXPECT_EQ(replies[2], R"({"id":2,"subscribe":{}})");
  EXPECT_EQ(replies[3], R"({"id":4,"unsubscribe":{}})");
}

TEST_F(SlowTokenTest, WhatWaitsIsBoundedInFrames) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"token":"good"}})");
  for (int i = 0; i < 64; ++i) ASSERT_EQ(disconnect(client, R"({"id":2,"rpc":{}})"), 0);
  EXPECT_EQ(disconnect(client, R"({"id":2,"rpc":{}})"), 3013);
}

TEST_F(SlowTokenTest, WhatWaitsIsBoundedInBytes) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"token":"good"}})");
  const std::string large = R"({"id":2,"rpc":{"data":")" + std::string(60'000, 'x') + "\"}}";
  EXPECT_EQ(disconnect(client, large), 0);
  EXPECT_EQ(disconnect(client, large), 0);
  EXPECT_EQ(disconnect(client, large), 3013);
}

TEST_F(SlowTokenTest, ASecondConnectEndsIt) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"token":"good"}})");
  EXPECT_EQ(disconnect(client, R"({"id":2,"connect":{"token":"good"}})"), 3501);
  world.tokens().answer_all();
  EXPECT_THAT(take(client), IsEmpty());
}

TEST_F(SlowTokenTest, ASecondConnectBehindOtherCommandsEndsIt) {
  FakeClient& client = open();
  client.send(
      "{\"id\":1,\"connect\":{\"token\":\"good\"}}\n{\"id\":2,\"rpc\":{}}\n"
      "{\"id\":3,\"connect\":{\"token\":\"good\"}}");
  world.tokens().answer_all();
  EXPECT_EQ(disconnect(client), 3501);
}

TEST_F(SlowTokenTest, AClientThatLeavesMeanwhile) {
  FakeClient& client = open();
  client.send("{\"id\":1,\"connect\":{\"token\":\"good\"}}\n{\"id\":2,\"rpc\":{}}");
  client.leave();
  world.run();
  world.tokens().answer_all();
  world.run();
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SlowTokenTest, TheStaleTimerGoesOn) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"token":"good"}})");
  world.advance(milliseconds(10100));
  EXPECT_EQ(disconnect(client), 3502);
  world.tokens().answer_all();
  EXPECT_THAT(take(client), IsEmpty());
}

TEST_F(SlowTokenTest, WhatCameBeforeARefusalIsNotAnswered) {
  world.tokens().bad["old"] = TokenError::kExpired;
  FakeClient& client = open();
  client.send("{\"id\":1,\"connect\":{\"token\":\"old\"}}\n{\"id\":2,\"rpc\":{}}");
  client.send(R"({"id":3,"rpc":{}})");
  world.tokens().answer_all();
  EXPECT_THAT(take(client), ElementsAre(error(109, "token expired")));
  EXPECT_EQ(disconnect(client), 0);
}

TEST_F(SlowTokenTest, ABadFrameThatWaitsEndsItInTime) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"token":"good"}})");
  ask(client, "{\"id\":2,\"rpc\":{}}\n{");
  EXPECT_EQ(disconnect(client), 0);
  world.tokens().answer_all();
  EXPECT_EQ(disconnect(client), 3501);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
