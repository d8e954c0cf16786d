// Subscribe and unsubscribe, what is refused and why, and their races.
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string subscribe(int id, const std::string& channel, const std::string& more = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"subscribe":{"channel":")" + channel + "\"" + more +
         "}}";
}
std::string unsubscribe(int id, const std::string& channel) {
  return R"({"id":)" + std::to_string(id) + R"(,"unsubscribe":{"channel":")" + channel + "\"}}";
}
std::string error(int id, int code, const std::string& message) {
  return R"({"id":)" + std::to_string(id) + R"(,"error":{"code":)" + std::to_string(code) +
         R"(,"message":")" + message + "\"}}";
}

class SubscribeTest : public CentrifugeTest {};

TEST_F(SubscribeTest, PositionedSubscribeToANewStreamAndFirstPublications) {
  FakeClient& client = connect();
  const Replies replies = ask(client, R"({"subscribe":{"channel":"recovery:a","flag":1},"id":3})");
  const std::string e = epoch("recovery:a");
  EXPECT_THAT(replies, ElementsAre(R"({"id":3,"subscribe":{"recoverable":true,"epoch":")" + e +
                                   R"(","positioned":true}})"));
  publish("recovery:a", 1, 2);
  EXPECT_THAT(
      take(client),
      ElementsAre(
          R"({"push":{"channel":"recovery:a","pub":{"data":{"seq":1},"offset":1,"epoch":")" + e +
              R"("}}})",
          R"({"push":{"channel":"recovery:a","pub":{"data":{"seq":2},"offset":2}}})"));
}

TEST_F(SubscribeTest, TellsThePositionOfAStreamThatHasPublications) {
  publish("a", 1, 9);
  EXPECT_THAT(ask(connect(), subscribe(2, "a")),
              ElementsAre(R"({"id":2,"subscribe":{"recoverable":true,"epoch":")" + epoch("a") +
                          R"(","offset":9,"positioned":true}})"));
}

TEST_F(SubscribeTest, TellsNoPositionWithoutPositioning) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, subscribe(2, "plain")), ElementsAre(R"({"id":2,"subscribe":{}})"));
  EXPECT_THAT(ask(client, subscribe(3, "asked")), ElementsAre(R"({"id":3,"subscribe":{}})"));
  publish("plain", 1, 1);
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"channel":"plain","pub":{"data":{"seq":1}}}})"));
  publish("asked", 1, 2);
  EXPECT_THAT(take(client), SizeIs(2));
  publish("asked", 3, 3);
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"channel":"asked","pub":{"data":{"seq":3},"offset":3}}})"))
      << "live publications carry offsets where there is history";
}

TEST_F(SubscribeTest, HonoursWishesOfThoseWhoMayReadTheHistory) {
  FakeClient& client = connect();
  publish("asked", 1, 1);
  const std::string e = epoch("asked");
  EXPECT_THAT(
      ask(client, subscribe(2, "asked", R"(,"positioned":true)")),
      ElementsAre(R"({"id":2,"subscribe":{"epoch":")" + e + R"(","offset":1,"positioned":true}})"));
  EXPECT_THAT(ask(connect(), subscribe(2, "asked", R"(,"recoverable":true)")),
              ElementsAre(R"({"id":2,"subscribe":{"recoverable":true,"epoch":")" + e +
                          R"(","offset":1,"positioned":true}})"));
  EXPECT_THAT(ask(connect(), subscribe(2, "plain", R"(,"positioned":true,"recoverable":true)")),
              ElementsAre(R"({"id":2,"subscribe":{}})"));
}

TEST_F(SubscribeTest, DisconnectsForBrokenRequests) {
  EXPECT_EQ(disconnect_after_connect(R"({"id":2,"subscribe":{}})"), 3501);
  EXPECT_EQ(disconnect_after_connect(subscribe(2, "a", R"(,"delta":"xdelta")")), 3501);
  EXPECT_EQ(disconnect_after_connect(R"({"id":2,"unsubscribe":{}})"), 3501);
}

TEST_F(SubscribeTest, RefusesInTheOrderOfTheProtocol) {
  FakeClient& client = connect();
  access.denied = {"secret"};
  access.unknown = {"no:such"};
  world.rules().remove("gone");
  const auto ask_one = [&](const std::string& frame) { return ask(client, frame).at(0); };
  EXPECT_EQ(ask_one(subscribe(2, std::string(256, 'x'))), error(2, 107, "bad request"));
  EXPECT_EQ(ask_one(subscribe(2, "\xc3\xa4")), error(2, 107, "bad request"));
  EXPECT_EQ(ask_one(subscribe(2, "secret")), error(2, 103, "permission denied"));
  EXPECT_EQ(ask_one(subscribe(2, "no:such")), error(2, 102, "unknown channel"));
  EXPECT_EQ(ask_one(subscribe(2, "gone")), error(2, 102, "unknown channel"));
  EXPECT_EQ(ask_one(subscribe(2, "a", R"(,"type":1)")), error(2, 103, "permission denied"));
  EXPECT_EQ(ask_one(subscribe(2, "a", R"(,"tf":{"cmp":"eq","key":"k","val":"v"})")),
            error(2, 107, "bad request"));
  EXPECT_EQ(world.subscribers().size(), 0u);
  EXPECT_EQ(ask_one(subscribe(2, std::string(255, 'x'))).substr(0, 20), R"({"id":2,"subscribe":)");
}

TEST_F(SubscribeTest, DoesNotNegotiateDelta) {
  EXPECT_THAT(ask(connect(), subscribe(2, "plain", R"(,"delta":"fossil")")),
              ElementsAre(R"({"id":2,"subscribe":{}})"));
}

TEST_F(SubscribeTest, RefusesASecondSubscribe) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, subscribe(2, "plain") + "\n" + subscribe(3, "plain")),
              ElementsAre(error(3, 105, "already subscribed"), R"({"id":2,"subscribe":{}})"))
      << "also while the first is in flight";
  EXPECT_THAT(ask(client, subscribe(4, "plain")), ElementsAre(error(4, 105, "already subscribed")));
}

TEST_F(SubscribeTest, LimitsChannels) {
  const testing::MetricDelta refused(R"(parley_centrifuge_commands_refused_total{code="106"})");
  FakeClient& client = connect();
  for (int i = 0; i < 128; ++i)
    ASSERT_EQ(ask(client, subscribe(i + 2, "c" + std::to_string(i))).at(0).find("error"),
              std::string::npos);
  EXPECT_THAT(ask(client, subscribe(200, "c128")), ElementsAre(error(200, 106, "limit exceeded")));
  EXPECT_EQ(refused(), 1);
  EXPECT_THAT(ask(client, subscribe(201, "c0")),
              ElementsAre(error(201, 105, "already subscribed")));
  ask(client, unsubscribe(202, "c5"));
  EXPECT_EQ(ask(client, subscribe(203, "c128")).at(0).find("error"), std::string::npos);
}

TEST_F(SubscribeTest, UnsubscribesQuietly) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, unsubscribe(2, "plain")), ElementsAre(R"({"id":2,"unsubscribe":{}})"))
      << "not subscribed is success";
  ask(client, subscribe(3, "plain"));
  world.publish_later("plain", testing::json("1"));
  EXPECT_THAT(ask(client, unsubscribe(4, "plain")), ElementsAre(R"({"id":4,"unsubscribe":{}})"));
  publish("plain", 2, 2);
  EXPECT_THAT(take(client), IsEmpty()) << "nothing of the channel follows the reply";
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SubscribeTest, AnUnsubscribeWaitsForTheSubscribeInFlight) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, subscribe(2, "plain") + "\n" + unsubscribe(3, "plain")),
              ElementsAre(R"({"id":2,"subscribe":{}})", R"({"id":3,"unsubscribe":{}})"));
  publish("plain", 1, 1);
  EXPECT_THAT(take(client), IsEmpty());
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SubscribeTest, SubscribesAgainBehindAnUnsubscribeInFlight) {
  FakeClient& client = connect();
  std::string frame = subscribe(2, "a");
  for (int id = 3; id < 21; id += 2)
    frame += "\n" + unsubscribe(id, "a") + "\n" + subscribe(id + 1, "a");
  const Replies replies = ask(client, frame);
  EXPECT_THAT(replies, SizeIs(19));
  for (const std::string& reply : replies) EXPECT_EQ(reply.find("error"), reply.npos) << reply;
  publish("a", 1, 1);
  EXPECT_THAT(take(client), SizeIs(1));
  EXPECT_EQ(world.subscribers()["a"], 1u);
  ask(client, unsubscribe(30, "a"));
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SubscribeTest, TheReplyPrecedesEveryPublication) {
  FakeClient& client = connect();
  for (int i = 0; i < 5; ++i) world.publish_later("plain", testing::json("1"));
  client.send(subscribe(2, "plain"));
  for (int i = 0; i < 5; ++i) world.publish_later("plain", testing::json("2"));
  const Replies replies = take(client);
  EXPECT_EQ(replies.at(0), R"({"id":2,"subscribe":{}})");
}

TEST_F(SubscribeTest, SurvivesAClientThatLeavesInBetween) {
  FakeClient& client = connect();
  client.send(subscribe(2, "a") + "\n" + unsubscribe(3, "a") + "\n" + subscribe(4, "b"));
  client.leave();
  world.run();
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SubscribeTest, CarriesEveryKindOfContent) {
  FakeClient& client = connect();
  ask(client, subscribe(2, "plain"));
  world.publish("plain", testing::json("{\"a\":\n[1, 2]}"));
  world.publish("plain", testing::text("say \"hi\"\n"));
  world.publish("plain", testing::binary(std::string("\x00\xff", 2)));
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"channel":"plain","pub":{"data":{"a":[1, 2]}}}})",
                          R"({"push":{"channel":"plain","pub":{"data":"say \"hi\"\n"}}})",
                          R"({"push":{"channel":"plain","pub":{"data":{"base64":"AP8="}}}})"));
}

TEST_F(SubscribeTest, CarriesTags) {
  FakeClient& client = connect();
  ask(client, subscribe(2, "plain"));
  hub::Publication publication = testing::json("1");
  publication.tags = {{"k", "v"}, {"l", ""}};
  world.publish("plain", std::move(publication));
  EXPECT_THAT(
      take(client),
      ElementsAre(R"({"push":{"channel":"plain","pub":{"data":1,"tags":{"k":"v","l":""}}}})"));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
