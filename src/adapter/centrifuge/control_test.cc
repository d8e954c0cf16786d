// What the backend wants of clients.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using hub::Control;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kUnsubscribed =
    R"({"push":{"channel":"news","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}})";
constexpr const char* kSubscribe = R"({"id":2,"subscribe":{"channel":"news"}})";

class ControlTest : public CentrifugeTest {
 protected:
  static Control unsubscribe(const std::string& channel) {
    Control control;
    control.kind = Control::Kind::kUnsubscribe;
    control.channel = channel;
    return control;
  }
};

TEST_F(ControlTest, UnsubscribeTellsEveryConnection) {
  FakeClient& subscribed = connect();
  ask(subscribed, kSubscribe);
  FakeClient& other = connect();
  FakeClient& unknown = open();  // has not said who it is
  EXPECT_TRUE(world.control(unsubscribe("news")).has_value());
  EXPECT_THAT(take(subscribed), ElementsAre(kUnsubscribed));
  EXPECT_THAT(take(other), ElementsAre(kUnsubscribed));
  EXPECT_THAT(take(unknown), IsEmpty());
  // It is out of the hub, presence too, and may come back.
  world.publish("news", "1");
  EXPECT_THAT(take(subscribed), IsEmpty());
  EXPECT_EQ(std::get<hub::PresenceCounts>(*world.presence_counts("news")).clients, 0u);
  EXPECT_THAT(ask(subscribed, R"({"id":3,"subscribe":{"channel":"news"}})"), SizeIs(1));
  EXPECT_TRUE(world.subscribers().contains("news"));
}

TEST_F(ControlTest, UnsubscribeWhileTheSubscribeIsOnItsWay) {
  FakeClient& client = connect();
  client.send(kSubscribe);
  world.control(unsubscribe("news"));
  const Replies replies = take(client);
  ASSERT_THAT(replies, SizeIs(2));
  EXPECT_THAT(replies[0], ::testing::HasSubstr(R"("id":2,"subscribe":)"));
  EXPECT_EQ(replies[1], kUnsubscribed);
  EXPECT_TRUE(world.subscribers().empty());
}

TEST_F(ControlTest, DisconnectWithTheCodeAskedFor) {
  FakeClient& client = connect();
  const std::string id = last_id;
  FakeClient& kept = connect();
  Control control;
  control.code = 4001;
  control.reason = "go away";
  control.client = id;
  world.control(control);
  EXPECT_EQ(disconnect(client), 4001);
  EXPECT_EQ(client.end_seen()->code.text, "go away");
  EXPECT_EQ(disconnect(kept), 0);
  control.client = "";
  control.whitelist = {last_id};
  world.control(control);
  EXPECT_EQ(disconnect(kept), 0);
  control.whitelist = {};
  control.user = "somebody";
  world.control(control);
  EXPECT_EQ(disconnect(kept), 0);
}

TEST_F(ControlTest, SubscribeTellsThePosition) {
  FakeClient& client = connect();
  publish("news", 1, 4);
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "news";
  control.data = R"({"k":1})";
  world.control(control);
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"channel":"news","subscribe":{"recoverable":true,"epoch":")" +
                          epoch("news") + R"(","offset":4,"positioned":true,"data":{"k":1}}}})"));
  publish("news", 5, 5);
  EXPECT_THAT(take(client), SizeIs(1));
  world.control(control);
  EXPECT_THAT(take(client), IsEmpty()) << "it has the channel already";
  world.control(unsubscribe("news"));
  EXPECT_THAT(take(client), ElementsAre(kUnsubscribed));
  EXPECT_TRUE(world.subscribers().empty());
}

TEST_F(ControlTest, SubscribeGivesWhatWasMissedBehindThePush) {
  FakeClient& client = connect();
  publish("news", 1, 4);
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "news";
  control.recover_since = {.offset = 2, .epoch = epoch("news")};
  world.control(control);
  const Replies replies = take(client);
  ASSERT_THAT(replies, SizeIs(3));
  EXPECT_THAT(replies[0], ::testing::HasSubstr(R"("offset":2,"positioned":true)"));
  EXPECT_THAT(replies[1], ::testing::HasSubstr(R"("offset":3)"));
  EXPECT_THAT(replies[2], ::testing::HasSubstr(R"("offset":4)"));
}

TEST_F(ControlTest, ASubscriptionOfTheServerExpiresWithTheConnection) {
  FakeClient& client = connect();
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "news";
  control.expire_at = in(0);
  world.control(control);
  EXPECT_THAT(take(client), IsEmpty()) << "over before it begins";
  control.expire_at = in(10);
  world.control(control);
  EXPECT_THAT(take(client), SizeIs(1));
  for (int i = 0; i < 36 && !client.ended(); ++i) {
    world.advance(seconds(1));
    for (const std::string& message : take(client))
      if (message == "{}") client.send("{}");
  }
  EXPECT_EQ(disconnect(client), 3006);
}

TEST_F(ControlTest, TooManySubscriptionsAreTheEnd) {
  FakeClient& client = connect();
  Control control;
  control.kind = Control::Kind::kSubscribe;
  for (int i = 0; i < 128; ++i) {
    control.channel = "c" + std::to_string(i);
    world.control(control);
  }
  EXPECT_EQ(disconnect(client), 0);
  control.channel = "one more";
  world.control(control);
  EXPECT_EQ(disconnect(client), 3505);
}

TEST_F(ControlTest, PublicationsShowWhatARefreshChanged) {
  FakeClient& client = connect();
  ask(client, kSubscribe);
  const auto publish = [&] {
    return ask(client, R"({"id":3,"publish":{"channel":"news","data":1}})").at(0);
  };
  EXPECT_THAT(publish(), ::testing::Not(::testing::HasSubstr("conn_info")));
  Control control;
  control.kind = Control::Kind::kRefresh;
  control.info = R"({"n":1})";
  world.control(control);
  take(client);
  EXPECT_THAT(publish(), ::testing::HasSubstr(R"("conn_info":{"n":1})"));
}

TEST_F(ControlTest, RefreshMovesTheExpiry) {
  FakeClient& client = connect();
  Control control;
  control.kind = Control::Kind::kRefresh;
  control.expire_at = in(600);
  world.control(control);
  EXPECT_THAT(take(client), ElementsAre(R"({"push":{"refresh":{"expires":true,"ttl":600}}})"));
  control.expire_at = 0;
  control.info = R"({"n":1})";
  world.control(control);
  EXPECT_THAT(take(client), ElementsAre(R"({"push":{"refresh":{}}})"));
  ask(client, kSubscribe);
  EXPECT_THAT(ask(client, R"({"id":3,"presence":{"channel":"news"}})").at(0),
              ::testing::HasSubstr(R"("conn_info":{"n":1})"));
  control.expired = true;
  world.control(control);
  EXPECT_EQ(disconnect(client), 3005);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
