#include "echo_adapter.h"

#include <gtest/gtest.h>

#include "tests/support/session_world.h"

namespace parley::examples {
namespace {

using testing::FakeClient;
using testing::SessionWorld;

class EchoAdapterTest : public ::testing::Test {
 protected:
  FakeClient& open() { return world_.open(factory_, {.path = "/echo"}); }
  // What a client is told after saying `line`, a line each.
  std::string say(FakeClient& client, std::string_view line) {
    client.send(line);
    return heard(client);
  }
  std::string heard(FakeClient& client) {
    world_.run();
    std::string all;
    for (const auto& message : client.take()) all += message.bytes + "\n";
    return all;
  }

  EchoFactory factory_;
  SessionWorld world_;
};

TEST_F(EchoAdapterTest, EchoesWhatItDoesNotKnow) {
  FakeClient& client = open();
  EXPECT_EQ(say(client, "hello there"), "hello there\n");
  EXPECT_EQ(say(client, "subway"), "subway\n");
}

TEST_F(EchoAdapterTest, SubscribersHearWhatOthersPublish) {
  FakeClient& reader = open();
  FakeClient& writer = open();
  EXPECT_EQ(say(reader, "sub news"), "subscribed news\n");
  EXPECT_EQ(say(writer, "pub news some words"), "published news 1\n");
  EXPECT_EQ(heard(reader), "msg news some words\n");
}

TEST_F(EchoAdapterTest, APublisherHearsItsMessageBeforeTheAnswer) {
  FakeClient& client = open();
  say(client, "sub news");
  EXPECT_EQ(say(client, "pub news x"), "msg news x\npublished news 1\n");
}

TEST_F(EchoAdapterTest, SaysWhatItCannotDo) {
  world_.rules().remove("unknown");
  FakeClient& client = open();
  EXPECT_EQ(say(client, "sub unknown"), "refused unknown\n");
  EXPECT_EQ(say(client, "pub unknown x"), "refused unknown\n");
  EXPECT_EQ(say(client, "sub "), "error bad channel name\n");
  say(client, "sub news");
  EXPECT_EQ(say(client, "sub news"), "error already subscribed\n");
  EXPECT_EQ(say(client, "\xff"), "bye bad_request\n");
  EXPECT_FALSE(client.connected());
}

TEST_F(EchoAdapterTest, TellsAGap) {
  FakeClient& client = open();
  say(client, "sub news");
  const hub::StreamPosition at = world_.publish("news", "1");
  heard(client);
  world_.broker().interject([&](hub::BrokerEvents& events) {
    hub::Attached now{.epoch = at.epoch, .top = 40};
    ++now.epoch.counter;
    events.on_reset({"news"}, now, hub::GapReason::kEpochChanged);
  });
  EXPECT_EQ(heard(client), "gap news 0 40 epoch_changed\n");
}

}  // namespace
}  // namespace parley::examples
