// The protocol in Protobuf: who gets it, and what is different from JSON.
#include "tests/support/centrifuge_fixture.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ProtobufTest : public CentrifugeTest {
 protected:
  ProtobufTest() { protobuf = true; }

  FakeClient& connect_json() {
    protobuf = false;
    FakeClient& client = connect();
    protobuf = true;
    return client;
  }

  // Publishes these bytes as a Protobuf client does.
  Replies publish_bytes(FakeClient& client, std::string_view channel, std::string_view data) {
    const std::string request = testing::delimited(1, channel) + testing::delimited(2, data);
    client.send(testing::delimited(0, "\x08\x09" + testing::delimited(7, request)));
    return take(client);
  }

  static std::string subscribe(int id, std::string_view channel, std::string_view more = "") {
    return R"({"id":)" + std::to_string(id) + R"(,"subscribe":{"channel":")" +
           std::string(channel) + '"' + std::string(more) + "}}";
  }
};

TEST_F(ProtobufTest, IsForThoseWhoAskForIt) {
  const struct {
    std::string subprotocol;
    std::string query;
    bool protobuf;
  } kRows[] = {
      {"", "", false},
      {"centrifuge-json", "", false},
      {"centrifuge-protobuf", "", true},
      {"", "format=protobuf", true},
      {"", "a=b&cf_protocol=protobuf&cf_protocol_version=v2", true},
      {"centrifuge-json", "format=protobuf", true},
      {"", "format=json", false},
      {"", "cf_protocol=json&format=protobuf", true},
      {"", "format=Protobuf", false},
      {"", "format=protobuf%", false},
      {"", "cf_protocol_version=protobuf", false},
  };
  for (const auto& row : kRows) {
    FakeClient& client =
        world.open(factory, {.path = "/", .query = row.query, .subprotocol = row.subprotocol});
    constexpr std::string_view kConnect = R"({"id":1,"connect":{}})";
    client.send(row.protobuf ? testing::ToProtobuf::frame(kConnect) : std::string(kConnect));
    world.run();
    const auto replies = client.take();
    ASSERT_THAT(replies, SizeIs(1)) << row.subprotocol << '?' << row.query;
    EXPECT_EQ(replies[0].type,
              row.protobuf ? session::MessageType::kBinary : session::MessageType::kText);
  }
}

TEST_F(ProtobufTest, TheTypeOfAMessageDoesNotMatter) {
  for (const bool binary : {false, true}) {
    FakeClient& client = binary ? open() : connect_json();
    client.send(encoded(client, binary ? R"({"id":1,"connect":{}})" : subscribe(2, "a")),
                binary ? session::MessageType::kText : session::MessageType::kBinary);
    EXPECT_THAT(take(client), SizeIs(1));
  }
}

TEST_F(ProtobufTest, AnswersAsInJson) {
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, subscribe(2, "a")),
              ElementsAre(R"({"id":2,"subscribe":{"recoverable":true,"epoch":")" + epoch("a") +
                          R"(","positioned":true}})"));
  EXPECT_THAT(
      ask(client, R"({"id":3,"publish":{"channel":"a","data":{"x":1}}})"),
      ElementsAre(R"({"push":{"channel":"a","pub":{"data":{"x":1},"info":{"user":"","client":")" +
                      last_id + R"("},"offset":1,"epoch":")" + epoch("a") + R"("}}})",
                  R"({"id":3,"publish":{}})"));
  EXPECT_THAT(
      ask(client, R"({"id":4,"history":{"channel":"a","limit":-1}})"),
      ElementsAre(
          R"({"id":4,"history":{"publications":[{"data":{"x":1},"info":{"user":"","client":")" +
          last_id + R"("},"offset":1}],"epoch":")" + epoch("a") + R"(","offset":1}})"));
  EXPECT_THAT(ask(client, R"({"id":5,"presence":{"channel":"a"}})"),
              ElementsAre(R"({"id":5,"presence":{"presence":{")" + last_id +
                          R"(":{"user":"","client":")" + last_id + R"("}}}})"));
  EXPECT_THAT(ask(client, R"({"id":6,"presence_stats":{"channel":"a"}})"),
              ElementsAre(R"({"id":6,"presence_stats":{"num_clients":1,"num_users":1}})"));
  EXPECT_THAT(ask(client, R"({"id":7,"unsubscribe":{"channel":"a"}})"),
              ElementsAre(R"({"id":7,"unsubscribe":{}})"));
  EXPECT_THAT(ask(client, R"({"id":8,"rpc":{"data":1}})"),
              ElementsAre(R"({"id":8,"error":{"code":108,"message":"not available"}})"));
}

TEST_F(ProtobufTest, ChannelsKeepTheirNames) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.compaction = true;
  world.rules().set("a", options);
  FakeClient& client = connect();
  EXPECT_THAT(ask(client, subscribe(2, "a", R"(,"flag":1)")).at(0), Not(HasSubstr(R"("id":1)")));
  publish("a", 1, 1);
  EXPECT_THAT(take(client).at(0), HasSubstr(R"({"push":{"channel":"a",)"));
}

TEST_F(ProtobufTest, RecoversAndTellsJoins) {
  FakeClient& client = connect();
  publish("a", 1, 3);
  EXPECT_THAT(
      ask(client, subscribe(2, "a",
                            R"(,"recover":true,"offset":1,"join_leave":true,"epoch":")" +
                                epoch("a") + "\"")),
      ElementsAre(
          R"({"id":2,"subscribe":{"recoverable":true,"epoch":")" + epoch("a") +
              R"(","publications":[{"data":{"seq":2},"offset":2},{"data":{"seq":3},"offset":3}],)"
              R"("recovered":true,"offset":1,"positioned":true,"was_recovering":true}})",
          R"({"push":{"channel":"a","join":{"info":{"user":"","client":")" + last_id + R"("}}}})"));
  FakeClient& other = connect();
  ask(other, subscribe(2, "a"));
  EXPECT_THAT(take(client), ElementsAre(HasSubstr(R"("join":)")));
  other.leave();
  EXPECT_THAT(take(client),
              ElementsAre(R"({"push":{"channel":"a","leave":{"info":{"user":"","client":")" +
                          last_id + R"("}}}})"));
}

TEST_F(ProtobufTest, CarriesEveryKindOfContentAsItIs) {
  FakeClient& client = connect();
  ask(client, subscribe(2, "plain"));
  world.publish("plain", testing::json("{\"a\":\n[1, 2]}"));
  world.publish("plain", testing::text("say \"hi\"\n"));
  world.publish("plain", testing::binary(std::string("\x00\xff", 2)));
  world.run();
  EXPECT_THAT(
      take(client),
      ElementsAre(
          "{\"push\":{\"channel\":\"plain\",\"pub\":{\"data\":{\"a\":\n[1, 2]}}}}",
          "{\"push\":{\"channel\":\"plain\",\"pub\":{\"data\":say \"hi\"\n}}}",
          std::string("{\"push\":{\"channel\":\"plain\",\"pub\":{\"data\":\x00\xff}}}", 46)));
}

TEST_F(ProtobufTest, WhatItPublishesIsJsonOrBinary) {
  const struct {
    std::string data;
    std::string json;
  } kRows[] = {
      {R"({"a": 1})", R"({"a": 1})"},
      {"\"text\"", "\"text\""},
      {"7", "7"},
      {"{\n}", "{}"},
      {"text", R"({"base64":"dGV4dA=="})"},
      {"{", R"({"base64":"ew=="})"},
      {std::string("\x00\xff", 2), R"({"base64":"AP8="})"},
      {"\"\xff\"", R"({"base64":"Iv8i"})"},
  };
  FakeClient& publisher = connect();
  FakeClient& reader = connect_json();
  FakeClient& same = connect();
  ask(reader, subscribe(2, "plain"));
  ask(same, subscribe(2, "plain"));
  for (const auto& row : kRows) {
    EXPECT_THAT(publish_bytes(publisher, "plain", row.data),
                ElementsAre(R"({"id":9,"publish":{}})"));
    EXPECT_THAT(
        take(reader),
        ElementsAre(StartsWith(R"({"push":{"channel":"plain","pub":{"data":)" + row.json + ",")));
    EXPECT_THAT(take(same), ElementsAre(StartsWith(R"({"push":{"channel":"plain","pub":{"data":)" +
                                                   row.data + ",")));
  }
  EXPECT_THAT(publish_bytes(publisher, "plain", ""),
              ElementsAre(R"({"id":9,"error":{"code":107,"message":"bad request"}})"));
}

TEST_F(ProtobufTest, RefusesBinaryWhereTheChannelTakesNone) {
  hub::ChannelOptions json_only;
  json_only.kinds = {true, false, false};
  world.rules().set("json", json_only);
  FakeClient& client = connect();
  EXPECT_THAT(publish_bytes(client, "json", "[]"), ElementsAre(R"({"id":9,"publish":{}})"));
  EXPECT_THAT(publish_bytes(client, "json", "\xff"),
              ElementsAre(R"({"id":9,"error":{"code":107,"message":"bad request"}})"));
}

TEST_F(ProtobufTest, PingsAndPongsAreOneZeroByte) {
  FakeClient& client = connect();
  std::vector<testing::WireMessage> pings;
  for (int i = 0; i < 25 && pings.empty(); ++i) {
    world.advance(seconds(1));
    pings = client.take();
  }
  ASSERT_THAT(pings, SizeIs(1));
  EXPECT_EQ(pings[0], (testing::WireMessage{session::MessageType::kBinary, std::string(1, '\0')}));
  client.send(std::string(1, '\0'), session::MessageType::kBinary);
  world.advance(seconds(10));
  EXPECT_FALSE(client.ended());
  client.send(std::string(1, '\0'), session::MessageType::kBinary);
  EXPECT_EQ(disconnect(client), 3501);
}

TEST_F(ProtobufTest, BadFramesEndTheConnection) {
  for (const std::string frame : {"", "\x05", "\x02\x0B\x0C", "{}"}) {
    FakeClient& client = connect();
    client.send(frame, session::MessageType::kBinary);
    EXPECT_EQ(disconnect(client), 3501);
  }
}

TEST_F(ProtobufTest, InsufficientStateUnsubscribes) {
  FakeClient& client = connect();
  ask(client, subscribe(2, "a"));
  const hub::StreamPosition at = world.publish("a", "1");
  take(client);
  world.broker().interject([&](hub::BrokerEvents& events) {
    hub::Attached now{.epoch = at.epoch, .top = 0};
    ++now.epoch.counter;
    events.on_reset({"a"}, now, hub::GapReason::kEpochChanged);
  });
  EXPECT_THAT(
      take(client),
      ElementsAre(
          R"({"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"insufficient state"}}})"));
}

}  // namespace
}  // namespace parley::adapter::centrifuge
