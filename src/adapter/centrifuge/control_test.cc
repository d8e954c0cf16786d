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

}  // namespace
}  // namespace parley::adapter::centrifuge
