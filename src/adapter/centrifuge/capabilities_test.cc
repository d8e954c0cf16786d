// What tokens allow by themselves, and what becomes of it with the next token.
#include "auth/capabilities.h"

#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kTakenAway =
    R"({"push":{"channel":"news","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}})";

class CapabilityTest : public CentrifugeTest {
 protected:
  CapabilityTest() {
    hub::ChannelOptions options = history_only();
    options.presence = options.join_leave = true;
    world.rules().set("news", options);
    access.denied = {"news"};
    add("none", {});
    add("sub", {"sub"});
    add("all", {"sub", "pub", "prs", "hst"});
    add("silent", {"sub", "pub"});
  }
  static auth::CapabilitySet set_of(std::initializer_list<const char*> names) {
    auth::CapabilitySet set;
    for (const char* name : names) EXPECT_TRUE(set.add(name));
    return set;
  }
  void add(const std::string& token, std::initializer_list<const char*> names) {
    auto caps = auth::Capabilities::build({{.channels = {"news"}, .allow = set_of(names)}}, pool);
    world.tokens().connect_token(token, "42").caps = *caps;
  }
  Replies subscribe(FakeClient& client, const std::string& more = "") {
    return ask(client, R"({"id":2,"subscribe":{"channel":"news")" + more + "}}");
  }
  Replies refresh(FakeClient& client, const std::string& token) {
    return ask(client, R"({"id":9,"refresh":{"token":")" + token + "\"}}");
  }
  Replies try_verb(FakeClient& client, const std::string& verb, const std::string& more = "") {
    return ask(client, R"({"id":3,")" + verb + R"(":{"channel":"news")" + more + "}}");
  }
  static std::string denied(int id) {
    return R"({"id":)" + std::to_string(id) +
           R"(,"error":{"code":103,"message":"permission denied"}})";
  }

  auth::RegexPool pool;
};

TEST_F(CapabilityTest, EachVerbNeedsItsOwn) {
  FakeClient& may = connect_with("all");
  EXPECT_THAT(subscribe(may), ElementsAre(HasSubstr(R"({"id":2,"subscribe":)")));
  EXPECT_THAT(try_verb(may, "publish", R"(,"data":1)"),
              ElementsAre(HasSubstr(R"("push")"), HasSubstr(R"({"id":3,"publish")")));
  EXPECT_THAT(try_verb(may, "presence"), ElementsAre(HasSubstr(R"("presence")")));
  EXPECT_THAT(try_verb(may, "presence_stats"), ElementsAre(HasSubstr(R"("num_users")")));
  EXPECT_THAT(try_verb(may, "history"), ElementsAre(HasSubstr(R"("history")")));

  FakeClient& listener = connect_with("sub");
  EXPECT_THAT(subscribe(listener), ElementsAre(HasSubstr(R"({"id":2,"subscribe":)")));
  for (const char* verb : {"publish", "presence", "presence_stats", "history"})
    EXPECT_THAT(try_verb(listener, verb, R"(,"data":1)"), ElementsAre(denied(3))) << verb;

  FakeClient& nobody = connect_with("none");
  EXPECT_THAT(subscribe(nobody), ElementsAre(denied(2)));
}

TEST_F(CapabilityTest, ARefreshReplacesThem) {
  FakeClient& client = connect_with("none");
  EXPECT_THAT(subscribe(client), ElementsAre(denied(2)));
  EXPECT_THAT(refresh(client, "all"), ElementsAre(R"({"id":9,"refresh":{}})"));
  EXPECT_THAT(subscribe(client), ElementsAre(HasSubstr(R"({"id":2,"subscribe":)")));
  EXPECT_THAT(refresh(client, "sub"), ElementsAre(R"({"id":9,"refresh":{}})"));
  EXPECT_THAT(try_verb(client, "history"), ElementsAre(denied(3)));
  EXPECT_THAT(refresh(client, "none"), ElementsAre(R"({"id":9,"refresh":{}})", kTakenAway));
  world.publish("news", "1");
  EXPECT_THAT(take(client), IsEmpty());
  EXPECT_THAT(subscribe(client), ElementsAre(denied(2)));
}

TEST_F(CapabilityTest, ARefreshEndsOnlyWhatWasOwedToThem) {
  FakeClient& client = connect_with("all");
  ask(client, R"({"id":2,"subscribe":{"channel":"plain"}})");
  world.tokens().subscribe_token("invited", "news", "42");
  EXPECT_THAT(subscribe(client, R"(,"token":"invited")"), ElementsAre(HasSubstr("subscribe")));
  EXPECT_THAT(refresh(client, "none"), ElementsAre(R"({"id":9,"refresh":{}})"));
  world.publish("news", "1");
  world.publish("plain", "2");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("data":1)"), HasSubstr(R"("data":2)")));
}

TEST_F(CapabilityTest, ASubscribeOnItsWayIsEndedBehindItsAnswer) {
  FakeClient& client = connect_with("all");
  world.tokens().slow = true;
  client.send(R"({"id":9,"refresh":{"token":"none"}})");
  client.send(R"({"id":2,"subscribe":{"channel":"news"}})");
  world.tokens().answer_all();
  const Replies replies = take(client);
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies.back(), kTakenAway);
  world.publish("news", "1");
  EXPECT_THAT(take(client), IsEmpty());
}

TEST_F(CapabilityTest, JoinsAreToldForAsLongAsPresenceMayBeSeen) {
  access.denied = {};
  access.denied_verbs = {{auth::Verb::kJoinLeave, "news"}, {auth::Verb::kPresence, "news"}};
  FakeClient& client = connect_with("all");
  EXPECT_THAT(subscribe(client, R"(,"join_leave":true)"),
              ElementsAre(HasSubstr("subscribe"), HasSubstr(R"("join")")));
  EXPECT_THAT(refresh(client, "silent"), ElementsAre(R"({"id":9,"refresh":{}})"));
  subscribe(connect());
  EXPECT_THAT(take(client), IsEmpty());
  world.publish("news", "1");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("data":1)")));
}

TEST_F(CapabilityTest, ASubscriptionTokenAllowsInItsChannel) {
  world.tokens().subscribe_token("reader", "news", "42").grant.allow = set_of({"hst", "prs"});
  world.tokens().subscribe_token("writer", "news", "42").grant.allow = set_of({"pub"});
  world.tokens().connect_token("me", "42");
  access.denied.insert("other");
  FakeClient& client = connect_with("me");
  EXPECT_THAT(subscribe(client, R"(,"token":"reader","positioned":true)"),
              ElementsAre(HasSubstr(R"("positioned":true)")));
  EXPECT_THAT(try_verb(client, "history"), ElementsAre(HasSubstr("history")));
  EXPECT_THAT(try_verb(client, "publish", R"(,"data":1)"), ElementsAre(denied(3)));
  EXPECT_THAT(ask(client, R"({"id":3,"history":{"channel":"other"}})"), ElementsAre(denied(3)));

  EXPECT_THAT(ask(client, R"({"id":4,"sub_refresh":{"channel":"news","token":"writer"}})"),
              ElementsAre(R"({"id":4,"sub_refresh":{}})"));
  EXPECT_THAT(try_verb(client, "history"), ElementsAre(denied(3)));
  EXPECT_THAT(try_verb(client, "publish", R"(,"data":1)"),
              ElementsAre(HasSubstr(R"("push")"), HasSubstr("publish")));

  ask(client, R"({"id":5,"unsubscribe":{"channel":"news"}})");
  EXPECT_THAT(try_verb(client, "publish", R"(,"data":1)"), ElementsAre(denied(3)));
}

TEST_F(CapabilityTest, WhatAClientHadFromTheServerIsGivenAgainByThem) {
  FakeClient& client = open();
  EXPECT_THAT(ask(client, R"({"id":1,"connect":{"token":"sub","subs":{"news":{}}}})"),
              ElementsAre(HasSubstr(R"("subs":{"news")")));
  EXPECT_THAT(refresh(client, "none"), ElementsAre(R"({"id":9,"refresh":{}})", kTakenAway));
  FakeClient& another = open();
  EXPECT_THAT(ask(another, R"({"id":1,"connect":{"token":"none","subs":{"news":{}}}})"),
              ElementsAre(::testing::Not(HasSubstr("news"))));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
