// What a client is told when its access is taken back, and the RPC by which a user shows that it is
// active.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using hub::Control;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RevokedClientTest : public CentrifugeTest {
 protected:
  RevokedClientTest() {
    world.tokens().connect_token("good", "42").id = {.uid = "t1", .issued_at = 100};
    world.tokens().subscribe_token("sub", "news", "42").id = {.uid = "s1", .issued_at = 100};
  }
  void control(Control::Kind kind, const std::string& subject) {
    Control control{.kind = kind};
    (kind == Control::Kind::kRevoke ? control.token : control.user) = subject;
    ASSERT_TRUE(world.control(std::move(control)).has_value());
  }
  static int code_of(const FakeClient& client) {
    return client.ended() ? client.end_seen()->code.code : 0;
  }
  const std::string connect_good_ = R"({"id":1,"connect":{"token":"good"}})";
};

TEST_F(RevokedClientTest, ABlockedUserIsTold3507) {
  FakeClient& client = connect_with("good");
  control(Control::Kind::kBlock, "42");
  EXPECT_EQ(code_of(client), 3507);
  EXPECT_EQ(disconnect_first(connect_good_), 3507);
  control(Control::Kind::kUnblock, "42");
  EXPECT_EQ(disconnect_first(connect_good_), 0);
}

TEST_F(RevokedClientTest, ARevokedTokenIsToldLikeABadOne) {
  FakeClient& client = connect_with("good");
  control(Control::Kind::kRevoke, "t1");
  EXPECT_EQ(code_of(client), 3500);
  EXPECT_EQ(disconnect_first(connect_good_), 3500);
  world.tokens().connect_token("other", "42").id = {.uid = "t2"};
  FakeClient& other = connect_with("other");
  EXPECT_EQ(disconnect(other, R"({"id":2,"refresh":{"token":"good"}})"), 3500);
}

TEST_F(RevokedClientTest, AConnectThatWaitsForItsSubscriptionsIsNotAnswered) {
  world.tokens().connect_token("good", "42").subscriptions = {{.channel = "news"}};
  FakeClient& client = open();
  client.send(connect_good_);  // the world does not run: the hub has not answered
  world.revocations().remember({.kind = auth::Revocation::Kind::kToken, .subject = "t1"});
  EXPECT_THAT(take(client), ElementsAre());
  EXPECT_EQ(code_of(client), 3500);
}

TEST_F(RevokedClientTest, ASubscriptionByARevokedTokenIsUnsubscribed) {
  FakeClient& client = connect_with("good");
  ask(client, R"({"id":2,"subscribe":{"channel":"news","token":"sub"}})");
  control(Control::Kind::kRevoke, "s1");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("unsubscribe":{"code":2000)")));
  EXPECT_THAT(ask(client, R"({"id":3,"subscribe":{"channel":"news","token":"sub"}})"),
              ElementsAre(HasSubstr(R"("code":103)")));
  EXPECT_FALSE(client.ended());
}

TEST_F(RevokedClientTest, ASubscriptionThatATokenOnlyRenewedIsUnsubscribed) {
  FakeClient& client = connect_with("good");
  ask(client, R"({"id":2,"subscribe":{"channel":"news"}})");
  ask(client, R"({"id":3,"sub_refresh":{"channel":"news","token":"sub"}})");
  control(Control::Kind::kRevoke, "s1");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("unsubscribe":{"code":2000)")));
  EXPECT_FALSE(client.ended());
}

TEST_F(RevokedClientTest, ASubscriptionOfTheServerIsUnsubscribedLikewise) {
  world.tokens().connect_token("good", "42").subscriptions = {{.channel = "news"}};
  FakeClient& client = connect_with("good");
  ask(client, R"({"id":3,"sub_refresh":{"channel":"news","token":"sub"}})");
  control(Control::Kind::kRevoke, "s1");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("unsubscribe":{"code":2000)")));
}

// She shows the token of another user for a subscription that she has just left: it is refused,
// her session lives on, and what she still has stays revocable.
TEST_F(RevokedClientTest, ATokenThatIsRefusedDoesNotHideTheOneThatOpened) {
  world.tokens().subscribe_token("bobs", "news", "43").id = {.uid = "s2", .issued_at = 100};
  world.rules().set("plain", {});
  FakeClient& client = connect_with("good");
  ask(client, R"({"id":2,"subscribe":{"channel":"news","token":"sub"}})");
  ask(client, R"({"id":3,"subscribe":{"channel":"plain"}})");
  EXPECT_THAT(ask(client, R"({"id":4,"sub_refresh":{"channel":"plain","token":"bobs"}})"
                          "\n"
                          R"({"id":5,"unsubscribe":{"channel":"plain"}})"),
              Contains(HasSubstr(R"("code":103)")));
  ASSERT_FALSE(client.ended());
  control(Control::Kind::kRevoke, "s1");
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("unsubscribe":{"code":2000)")));
}

TEST_F(RevokedClientTest, SaysWhatItsSoftwareIs) {
  FakeClient& client = open();
  ask(client, R"({"id":1,"connect":{"name":"app","version":"1.2"}})");
  FakeClient& silent = open();
  ask(silent, R"({"id":1,"connect":{"name":")" + std::string(129, 'x') + R"("}})");
  protobuf = true;
  connect();
  Control list{.kind = Control::Kind::kList};
  list.most = 10;
  const auto answer = world.control(std::move(list));
  const auto& all = std::get<hub::Controlled>(*answer).connections;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].app_name + all[0].app_version + all[0].protocol, "app1.2json");
  EXPECT_EQ(all[1].app_name, "");
  EXPECT_EQ(all[2].protocol, "protobuf");
}

TEST_F(RevokedClientTest, UserStatusIsRefusedWhereItIsOffAndToNobody) {
  const std::string rpc = R"({"id":9,"rpc":{"method":"update_user_status","data":{}}})";
  EXPECT_THAT(ask(connect_with("good"), rpc), ElementsAre(HasSubstr(R"("code":108)")));
  EXPECT_THAT(ask(connect(), rpc), ElementsAre(HasSubstr(R"("code":103)")));
}

class StatusClientTest : public CentrifugeTest {
 protected:
  StatusClientTest() : CentrifugeTest({}, {}, {.user_status = {.enabled = true}}) {}
};

TEST_F(StatusClientTest, AUserSaysThatItIsActive) {
  world.tokens().connect_token("good", "42");
  EXPECT_THAT(ask(connect_with("good"), R"({"id":9,"rpc":{"method":"update_user_status"}})"),
              ElementsAre(R"({"id":9,"rpc":{"data":{}}})"));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
