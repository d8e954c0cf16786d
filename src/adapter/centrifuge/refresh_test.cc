// Expiry of connections and subscriptions, and what renews them.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using auth::TokenError;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RefreshTest : public CentrifugeTest {
 protected:
  RefreshTest() : CentrifugeTest({.ping_interval = seconds(0)}) {
    world.rules().set("news", {});
    world.tokens().connect_token("first", "42").expires_at = in(60);
    world.tokens().connect_token("second", "42").expires_at = in(600);
    world.tokens().connect_token("other", "43");
    world.tokens().connect_token("over", "42").expires_at = in(0);
    world.tokens().bad["old"] = TokenError::kExpired;
    world.tokens().bad["later"] = TokenError::kUnavailable;
    world.tokens().subscribe_token("sub", "news", "42").expires_at = in(60);
    world.tokens().subscribe_token("sub2", "news", "42").expires_at = in(600);
  }
  static std::string refresh(const std::string& token) {
    return R"({"id":9,"refresh":{"token":")" + token + "\"}}";
  }
  static std::string sub_refresh(const std::string& token, const std::string& channel = "news") {
    return R"({"id":9,"sub_refresh":{"channel":")" + channel + R"(","token":")" + token + "\"}}";
  }
  FakeClient& subscribed() {
    FakeClient& client = connect_with("second");
    EXPECT_THAT(ask(client, R"({"id":2,"subscribe":{"channel":"news","token":"sub"}})"),
                ElementsAre(R"({"id":2,"subscribe":{"expires":true,"ttl":60}})"));
    return client;
  }
};

TEST_F(RefreshTest, AnExpiredConnectionIsClosedAfterTheDelay) {
  FakeClient& client = connect_with("first");
  world.advance(milliseconds(84'900));
  EXPECT_EQ(disconnect(client), 0);
  world.advance(milliseconds(200));
  EXPECT_EQ(disconnect(client), 3005);
}

TEST_F(RefreshTest, ANewTokenRenewsTheConnection) {
  FakeClient& client = connect_with("first");
  EXPECT_THAT(ask(client, refresh("second")),
              ElementsAre(R"({"id":9,"refresh":{"expires":true,"ttl":600}})"));
  world.advance(seconds(100));
  EXPECT_EQ(disconnect(client), 0);
  world.advance(seconds(526));
  EXPECT_EQ(disconnect(client), 3005);
}

// A client that renews at the end of its ttl still comes in time.
TEST_F(RefreshTest, TheTtlIsNeverOverAfterTheExpiry) {
  world.advance(milliseconds(1000 - world.now().wall % 1000 + 1));
  const int64_t second = world.now().wall / 1000;
  const auto ttl_of = [&](int64_t expires_at) {
    world.tokens().connect_token("t", "42").expires_at = expires_at;
    const Replies replies = ask(open(), R"({"id":1,"connect":{"token":"t"}})");
    return between(replies.at(0), R"("ttl":)", "}");
  };
  EXPECT_EQ(ttl_of(second + 60), "59");
  EXPECT_EQ(ttl_of(second + 1), "1") << "0 would be none";
  EXPECT_EQ(ttl_of(second + 1'000'000'000), "31535999");
  world.tokens().subscribe_token("s", "news", "42").expires_at = second + 10;
  EXPECT_THAT(ask(connect_with("second"), R"({"id":2,"subscribe":{"channel":"news","token":"s"}})"),
              ElementsAre(R"({"id":2,"subscribe":{"expires":true,"ttl":9}})"));
}

TEST_F(RefreshTest, ATokenWithoutEndEndsTheExpiry) {
  world.tokens().connect_token("for ever", "42");
  FakeClient& client = connect_with("first");
  EXPECT_THAT(ask(client, refresh("for ever")), ElementsAre(R"({"id":9,"refresh":{}})"));
  world.advance(seconds(200));
  EXPECT_EQ(disconnect(client), 0);
}

TEST_F(RefreshTest, BadTokensDisconnect) {
  const std::pair<const char*, int> cases[] = {
      {"", 3501}, {"forged", 3500}, {"other", 3500}, {"old", 3005}, {"over", 3005}};
  for (const auto& [token, code] : cases)
    EXPECT_EQ(disconnect(connect_with("first"), refresh(token)), code) << token;
}

TEST_F(RefreshTest, KeysThatCannotBeFetchedMayComeBack) {
  FakeClient& client = connect_with("first");
  EXPECT_THAT(
      ask(client, refresh("later")),
      ElementsAre(
          R"({"id":9,"error":{"code":100,"message":"internal server error","temporary":true}})"));
  EXPECT_EQ(disconnect(client), 0);
}

TEST_F(RefreshTest, OtherServerSideChannelsWantANewConnection) {
  auto& claims = world.tokens().connect_token("first", "42");
  claims.expires_at = in(60);
  claims.subscriptions.push_back({.channel = "b"});
  claims.subscriptions.push_back({.channel = "a"});
  auto& same = world.tokens().connect_token("same", "42");
  same.subscriptions = {{.channel = "a"}, {.channel = "b"}};
  FakeClient& client = connect_with("first");
  EXPECT_THAT(ask(client, refresh("same")), ElementsAre(R"({"id":9,"refresh":{}})"));
  EXPECT_EQ(disconnect(client, refresh("second")), 3010);
}

TEST_F(RefreshTest, ARefreshIsNotAnsweredOutOfPlace) {
  world.tokens().slow = true;
  FakeClient& client = open();
  client.send(R"({"id":1,"connect":{"token":"first"}})");
  world.tokens().answer_all();
  client.send(refresh("second"));
  EXPECT_EQ(disconnect(client, "{}"), 3501);
  world.tokens().answer_all();
  EXPECT_EQ(disconnect(client), 3501);
}

TEST_F(RefreshTest, AnExpiredSubscriptionIsTakenAway) {
  FakeClient& client = subscribed();
  world.advance(milliseconds(84'900));
  EXPECT_THAT(take(client), IsEmpty());
  world.advance(milliseconds(200));
  EXPECT_THAT(
      take(client),
      ElementsAre(
          R"({"push":{"channel":"news","unsubscribe":{"code":2501,"reason":"subscription expired"}}})"));
  EXPECT_THAT(world.subscribers(), IsEmpty());
  EXPECT_EQ(disconnect(client), 0);
}

TEST_F(RefreshTest, ANewTokenRenewsTheSubscription) {
  FakeClient& client = subscribed();
  EXPECT_THAT(ask(client, sub_refresh("sub2")),
              ElementsAre(R"({"id":9,"sub_refresh":{"expires":true,"ttl":600}})"));
  world.advance(seconds(100));
  EXPECT_THAT(take(client), IsEmpty());
  world.tokens().subscribe_token("for ever", "news", "42");
  EXPECT_THAT(ask(client, sub_refresh("for ever")), ElementsAre(R"({"id":9,"sub_refresh":{}})"));
}

TEST_F(RefreshTest, ChecksSubscriptionTokens) {
  world.tokens().subscribe_token("elsewhere", "other", "42");
  world.tokens().subscribe_token("somebody", "news", "43");
  world.tokens().subscribe_token("stranger", "news", "42").client = "no such";
  world.tokens().subscribe_token("sub over", "news", "42").expires_at = in(0);
  const std::pair<const char*, int> cases[] = {{"forged", 3500},   {"elsewhere", 3500},
                                               {"somebody", 3500}, {"stranger", 3500},
                                               {"old", 3006},      {"sub over", 3006}};
  for (const auto& [token, code] : cases)
    EXPECT_EQ(disconnect(subscribed(), sub_refresh(token)), code) << token;
  EXPECT_THAT(ask(subscribed(), sub_refresh("later")).at(0), HasSubstr(R"("code":100)"));
  EXPECT_THAT(ask(subscribed(), sub_refresh("sub2", "plain")).at(0), HasSubstr(R"("code":103)"));
  EXPECT_THAT(ask(subscribed(), sub_refresh("")).at(0), HasSubstr(R"("code":107)"));
}

TEST_F(RefreshTest, ASubscriptionThatWentMeanwhile) {
  FakeClient& client = subscribed();
  world.tokens().slow = true;
  client.send(sub_refresh("sub2"));
  EXPECT_THAT(ask(client, R"({"id":3,"unsubscribe":{"channel":"news"}})"),
              ElementsAre(R"({"id":3,"unsubscribe":{}})"));
  ask(client, R"({"id":4,"subscribe":{"channel":"news"}})");
  world.tokens().answer_all();
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"({"id":9,"error":{"code":103)")))
      << "the token was for the subscription before";
  world.advance(seconds(120));
  EXPECT_THAT(take(client), IsEmpty());
}

}  // namespace
}  // namespace parley::adapter::centrifuge
