// Connect, the order of commands, pings, what has no tokens.
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class ConnectTest : public CentrifugeTest {
 protected:
  // Brings a client to the moment of a ping.
  bool await_ping(FakeClient& client) {
    for (int i = 0; i < 600; ++i) {
      if (take(client) == Replies{"{}"}) return true;
      world.advance(milliseconds(50));
    }
    return false;
  }
};

TEST_F(ConnectTest, AnswersWithClientVersionAndPings) {
  FakeClient& client = open();
  EXPECT_THAT(
      ask(client, R"({"id":1,"connect":{"name":"js","version":"5.7.1","data":{"a":1}}})"),
      ElementsAre(MatchesRegex(
          R"(\{"id":1,"connect":\{"client":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","version":"0.1.0 Parley","ping":25,"pong":true\}\})")));
  EXPECT_FALSE(client.ended());
}

TEST_F(ConnectTest, GivesEachClientAnIdOfItsOwn) {
  connect();
  const std::string first = last_id;
  connect();
  EXPECT_NE(first, last_id);
}

TEST_F(ConnectTest, TakesCommandsBehindConnectInTheSameFrame) {
  world.rules().set("news", {});
  EXPECT_THAT(ask(open(),
                  "{\"connect\":{\"name\":\"js\"},\"id\":1}\n"
                  "{\"subscribe\":{\"channel\":\"news\",\"flag\":1},\"id\":2}\n"),
              ElementsAre(MatchesRegex(R"(\{"id":1,"connect":.*)"), R"({"id":2,"subscribe":{}})"));
}

TEST_F(ConnectTest, RefusesStrangersWhereNothingIsAllowed) {
  access.rules.anonymous = false;
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{}})"), 3501);
  EXPECT_EQ(disconnect_first(R"({"id":1,"connect":{"token":"x"}})"), 3500);
}

TEST_F(ConnectTest, ReadsNothingBehindARefusedConnect) {
  access.rules.anonymous = false;
  FakeClient& client = open();
  EXPECT_THAT(ask(client, "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"rpc\":{}}"), ElementsAre());
  EXPECT_EQ(disconnect(client), 3501);
  EXPECT_EQ(client.end_seen()->code.text, "bad request");
}

TEST_F(ConnectTest, EndsAConnectionThatBreaksTheOrder) {
  const testing::MetricDelta ended(R"(parley_sessions_ended_total{reason="bad_request"})");
  for (const auto* frame :
       {"", "\n", "{}", "null", "[]", "{", R"({"id":1})", R"({"connect":{}})",
        R"({"id":0,"connect":{}})", R"({"id":1,"subscribe":{"channel":"a"}})", R"({"send":{}})",
        R"({"id":1,"rpc":{}})", R"({"id":1,"ping":{}})", R"({"id":1,"connect":5})"})
    EXPECT_EQ(disconnect_first(frame), 3501) << frame;
  for (const auto* frame :
       {"", "\n", "{", "{}", R"({"id":2})", R"({"id":2,"ping":{}})", R"({"id":2,"connect":{}})",
        R"({"subscribe":{"channel":"a"}})", R"({"rpc":{}})", R"({"id":2,"nothing":{}})",
        R"({"id":-2,"rpc":{}})", R"({"id":4294967296,"rpc":{}})", "{\"id\":2,\"rpc\":{}}\n\n"})
    EXPECT_EQ(disconnect_after_connect(frame), 3501) << frame;
  EXPECT_EQ(ended(), 27);
}

TEST_F(ConnectTest, IgnoresUnknownFields) {
  EXPECT_EQ(disconnect_first(R"({"id":1,"new":[1],"connect":{"flag":1,"future":{"x":[{}]}}})"), 0);
}

TEST_F(ConnectTest, AnswersWhatItDoesNotHave) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, R"({"id":11,"rpc":{"data":{"x":1},"method":"sum"}})"),
              ElementsAre(R"({"id":11,"error":{"code":108,"message":"not available"}})"));
  EXPECT_EQ(disconnect(client, R"({"send":{"data":{}}})"), 3508);
}

TEST_F(ConnectTest, HasNothingToRefresh) {
  EXPECT_EQ(disconnect_after_connect(R"({"id":2,"refresh":{}})"), 3501);
  EXPECT_EQ(disconnect_after_connect(R"({"id":2,"refresh":{"token":"x"}})"), 3500);
  EXPECT_EQ(disconnect_after_connect(R"({"id":2,"sub_refresh":{}})"), 3501);
  FakeClient& client = connect();
  const Replies denied{R"({"id":3,"error":{"code":103,"message":"permission denied"}})"};
  const Replies bad{R"({"id":3,"error":{"code":107,"message":"bad request"}})"};
  EXPECT_EQ(ask(client, R"({"id":3,"sub_refresh":{"channel":"plain","token":"x"}})"), denied);
  ask(client, R"({"id":2,"subscribe":{"channel":"plain"}})");
  EXPECT_EQ(ask(client, R"({"id":3,"sub_refresh":{"channel":"plain"}})"), bad);
  EXPECT_EQ(ask(client, R"({"id":3,"sub_refresh":{"channel":"plain","token":"x","type":1}})"), bad);
  EXPECT_EQ(disconnect(client, R"({"id":3,"sub_refresh":{"channel":"plain","token":"x"}})"), 3500);
}

TEST_F(ConnectTest, EndsAStaleConnection) {
  const testing::MetricDelta stale(R"(parley_sessions_ended_total{reason="stale"})");
  FakeClient& client = open();
  world.advance(milliseconds(9900));
  EXPECT_EQ(disconnect(client), 0);
  world.advance(milliseconds(200));
  EXPECT_EQ(disconnect(client), 3502);
  EXPECT_EQ(stale(), 1);
}

TEST_F(ConnectTest, PingsFirstInTheSecondHalfOfTheInterval) {
  FakeClient& client = connect();
  world.advance(milliseconds(12400));
  EXPECT_THAT(take(client), ElementsAre());
  world.advance(milliseconds(12700));
  EXPECT_THAT(take(client), ElementsAre("{}"));
}

// It asks for ping frames of the WebSocket instead; a client that sends it may also get these.
TEST_F(ConnectTest, PingsAreMessagesWhateverTheAddressAsksFor) {
  FakeClient& client =
      world.open(factory, {.path = "/connection/websocket", .query = "cf_ws_frame_ping_pong=true"});
  EXPECT_THAT(ask(client, R"({"id":1,"connect":{}})").at(0),
              ::testing::HasSubstr(R"("ping":25,"pong":true)"));
}

TEST_F(ConnectTest, SpreadsFirstPings) {
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(&connect());
  world.advance(milliseconds(18750));
  int pinged = 0;
  for (FakeClient* client : clients) pinged += static_cast<int>(!take(*client).empty());
  EXPECT_GT(pinged, 5);
  EXPECT_LT(pinged, 35);
}

TEST_F(ConnectTest, EndsAClientThatDoesNotAnswerPings) {
  const testing::MetricDelta ended(R"(parley_sessions_ended_total{reason="no_pong"})");
  FakeClient& client = connect();
  ASSERT_TRUE(await_ping(client));
  world.advance(milliseconds(7800));
  // Other traffic is no pong.
  ask(client, R"({"id":3,"rpc":{}})");
  EXPECT_EQ(disconnect(client), 0);
  world.advance(milliseconds(400));
  EXPECT_EQ(disconnect(client), 3012);
  EXPECT_EQ(ended(), 1);
}

TEST_F(ConnectTest, GoesOnPingingAClientThatAnswers) {
  FakeClient& client = connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(await_ping(client));
    EXPECT_EQ(disconnect(client, "{}"), 0);
  }
  EXPECT_EQ(disconnect(client, "{}"), 3501) << "one pong for each ping";
}

class NoPingTest : public CentrifugeTest {
 protected:
  NoPingTest() : CentrifugeTest({.ping_interval = seconds(0)}) {}
};

TEST_F(NoPingTest, LeavesPingsOutWhenTheyAreOff) {
  FakeClient& client = open();
  EXPECT_THAT(ask(client, R"({"id":1,"connect":{}})"),
              ElementsAre(MatchesRegex(R"(.*"version":"0.1.0 Parley"\}\})")));
  world.advance(seconds(60));
  EXPECT_THAT(take(client), ElementsAre());
  EXPECT_EQ(disconnect(client, "{}"), 3501);
}

TEST_F(ConnectTest, SaysWhyTheServerEndsIt) {
  FakeClient& client = connect();
  world.table().end_all(session::EndReason::kShutdown);
  EXPECT_EQ(disconnect(client), 3001);
  EXPECT_EQ(client.end_seen()->code.text, "shutdown");
}

TEST_F(ConnectTest, StaysSmall) { EXPECT_LE(sizeof(CentrifugeAdapter), 200u); }

}  // namespace
}  // namespace parley::adapter::centrifuge
