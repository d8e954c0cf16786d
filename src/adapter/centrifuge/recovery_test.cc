// Recovery, positions and gaps.
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecoveryTest : public CentrifugeTest {
 protected:
  std::string recover(uint64_t offset, const std::string& epoch, int flag = 1,
                      const std::string& channel = "recovery:a") {
    FakeClient& client = connect();
    const std::string frame = R"({"subscribe":{"channel":")" + channel + R"(","flag":)" +
                              std::to_string(flag) + R"(,"recover":true,"offset":)" +
                              std::to_string(offset) + R"(,"epoch":")" + epoch + R"("},"id":4})";
    return ask(client, frame).at(0);
  }
  std::string not_recovered(uint64_t top) {
    return R"({"id":4,"subscribe":{"recoverable":true,"epoch":")" + epoch("recovery:a") +
           R"(","offset":)" + std::to_string(top) + R"(,"positioned":true,"was_recovering":true}})";
  }
  static constexpr auto kUnrecoverable =
      R"({"id":4,"error":{"code":112,"message":"unrecoverable position"}})";

  // The `seq` of the publications in these messages, wherever they stand.
  static std::vector<int> sequence(const Replies& replies) {
    std::vector<int> found;
    for (const std::string& reply : replies)
      for (size_t at = reply.find(R"("seq":)"); at != reply.npos; at = reply.find(R"("seq":)", at))
        found.push_back(std::stoi(reply.substr(at += 6)));
    return found;
  }
};

TEST_F(RecoveryTest, GivesWhatWasMissed) {
  publish("recovery:a", 1, 4);
  EXPECT_EQ(recover(2, epoch("recovery:a")),
            R"({"id":4,"subscribe":{"recoverable":true,"epoch":")" + epoch("recovery:a") +
                R"(","publications":[{"data":{"seq":3},"offset":3},{"data":{"seq":4},"offset":4}],)"
                R"("recovered":true,"offset":2,"positioned":true,"was_recovering":true}})");
}

TEST_F(RecoveryTest, SaysSoWhenNothingWasMissed) {
  publish("recovery:a", 1, 4);
  EXPECT_EQ(recover(4, epoch("recovery:a")),
            R"({"id":4,"subscribe":{"recoverable":true,"epoch":")" + epoch("recovery:a") +
                R"(","recovered":true,"offset":4,"positioned":true,"was_recovering":true}})");
}

TEST_F(RecoveryTest, SaysSoWhenItIsImpossible) {
  hub::ChannelOptions small = testing::FakeRules::usual();
  small.history_size = 2;
  world.rules().set("recovery:a", small);
  publish("recovery:a", 1, 9);
  EXPECT_EQ(recover(2, epoch("recovery:a")), not_recovered(9));
  EXPECT_EQ(recover(2, epoch("recovery:a"), 3), kUnrecoverable);
  EXPECT_NE(recover(7, epoch("recovery:a"), 3).find(R"("recovered":true,"offset":7)"),
            std::string::npos);
}

TEST_F(RecoveryTest, DependsOnEpochAndOffset) {
  publish("recovery:a", 1, 4);
  const std::string right = epoch("recovery:a");
  struct Row {
    std::string epoch;
    uint64_t offset;
    bool recovered;
  };
  for (const Row& row :
       {Row{right, 0, true}, Row{right, 3, true}, Row{right, 4, true}, Row{right, 5, false},
        Row{right, UINT64_MAX, false}, Row{"", 0, true}, Row{"", 4, true}, Row{"", 5, false},
        Row{"_", 0, false}, Row{"_", 4, false}, Row{"zz", 0, false}, Row{"zz", 4, false}}) {
    const std::string reply = recover(row.offset, row.epoch);
    EXPECT_EQ(reply.find(R"("recovered":true)") != reply.npos, row.recovered)
        << row.epoch << " " << row.offset;
    EXPECT_EQ(reply == not_recovered(4), !row.recovered) << reply;
    EXPECT_EQ(recover(row.offset, row.epoch, 2) == kUnrecoverable, !row.recovered);
  }
}

TEST_F(RecoveryTest, FlagTwoAloneChangesNothing) {
  FakeClient& client = connect();
  EXPECT_NE(ask(client, R"({"id":2,"subscribe":{"channel":"a","flag":2}})").at(0).find("subscribe"),
            std::string::npos);
}

TEST_F(RecoveryTest, AnUnrecoverableSubscribeCanBeTriedAgain) {
  publish("a", 1, 4);
  FakeClient& client = connect();
  const std::string doomed =
      R"({"id":4,"subscribe":{"channel":"a","flag":3,"recover":true,"offset":9}})";
  EXPECT_THAT(ask(client, doomed + "\n" + R"({"id":5,"unsubscribe":{"channel":"a"}})"),
              ElementsAre(kUnrecoverable, R"({"id":5,"unsubscribe":{}})"));
  EXPECT_THAT(ask(client, doomed), ElementsAre(kUnrecoverable));
  EXPECT_THAT(world.subscribers(), IsEmpty());
  publish("a", 5, 5);
  EXPECT_THAT(take(client), IsEmpty());
  EXPECT_THAT(ask(client, R"({"id":6,"subscribe":{"channel":"a"}})"), SizeIs(1));
  EXPECT_EQ(world.subscribers()["a"], 1u);
}

TEST_F(RecoveryTest, IsAllOrNothingAtTheLimit) {
  const testing::MetricDelta failed(
      R"(parley_centrifuge_recoveries_total{result="not_recovered"})");
  const testing::MetricDelta recovered(R"(parley_centrifuge_recoveries_total{result="recovered"})");
  hub::ChannelOptions long_one = testing::FakeRules::usual();
  long_one.history_size = 1000;
  world.rules().set("recovery:a", long_one);
  publish("recovery:a", 1, 301);
  EXPECT_EQ(recover(0, epoch("recovery:a")), not_recovered(301));
  EXPECT_THAT(sequence({recover(1, epoch("recovery:a"))}), SizeIs(300));
  EXPECT_EQ(failed(), 1);
  EXPECT_EQ(recovered(), 1);
}

TEST_F(RecoveryTest, TooManyBytesAreNotRecovered) {
  const testing::MetricDelta failed(
      R"(parley_centrifuge_recoveries_total{result="not_recovered"})");
  for (int i = 0; i < 20; ++i) world.publish("recovery:a", "\"" + std::string(60'000, 'x') + "\"");
  EXPECT_EQ(recover(2, epoch("recovery:a")), not_recovered(20));
  EXPECT_EQ(failed(), 1);
  EXPECT_NE(recover(17, epoch("recovery:a")).find(R"("recovered":true)"), std::string::npos);
}

// One frame of subscribes after a long absence: the replies together are larger than what may wait
// for a client, but this one reads.
TEST_F(RecoveryTest, ManyChannelsAtOnceAreAllRecovered) {
  constexpr int kChannels = 8;
  std::string frame;
  for (int c = 0; c < kChannels; ++c) {
    const std::string name = "recovery:a" + std::to_string(c);
    world.rules().set(name, testing::FakeRules::usual());
    for (int i = 1; i <= 4; ++i)
      world.publish(
          name, R"({"seq":)" + std::to_string(i) + R"(,"x":")" + std::string(50'000, 'x') + "\"}");
    frame += R"({"id":)" + std::to_string(c + 2) + R"(,"subscribe":{"channel":")" + name +
             R"(","recover":true,"offset":0,"epoch":")" + epoch(name) + R"("}})" + "\n";
  }
  FakeClient& client = connect();
  const Replies replies = ask(client, frame);
  EXPECT_FALSE(client.ended());
  EXPECT_THAT(sequence(replies), SizeIs(4 * kChannels));
  int recovered = 0;
  for (const std::string& reply : replies)
    recovered += reply.find(R"("recovered":true)") != reply.npos;
  EXPECT_EQ(recovered, kChannels);
}

// Escaped, they are six times as long as they count: the reply would be too large to be sent.
TEST_F(RecoveryTest, WhatGrowsInJsonFollowsTheReply) {
  for (int i = 0; i < 3; ++i)
    world.publish("recovery:a", testing::text(std::string(60'000, '\x01')));
  const std::string frame = R"({"subscribe":{"channel":"recovery:a","recover":true,"epoch":")" +
                            epoch("recovery:a") + R"("},"id":4})";
  FakeClient& client = connect();
  const Replies replies = ask(client, frame);
  ASSERT_THAT(replies, SizeIs(4));
  EXPECT_EQ(replies[0], R"({"id":4,"subscribe":{"recoverable":true,"epoch":")" +
                            epoch("recovery:a") +
                            R"(","recovered":true,"positioned":true,"was_recovering":true}})");
  for (int i = 1; i <= 3; ++i)
    EXPECT_NE(replies[i].find(R"("offset":)" + std::to_string(i)), std::string::npos);
}

TEST_F(RecoveryTest, IsNotAttemptedWhereTheSubscriptionIsNotRecoverable) {
  publish("asked", 1, 4);
  EXPECT_EQ(recover(2, epoch("asked"), 3, "asked"), R"({"id":4,"subscribe":{}})");
  EXPECT_EQ(recover(2, "", 3, "plain"), R"({"id":4,"subscribe":{}})");
}

TEST_F(RecoveryTest, RecoveredPublicationsAreWhole) {
  FakeClient& publisher = connect();
  ask(publisher, R"({"id":2,"publish":{"channel":"recovery:a","data":1}})");
  const std::string id = last_id;
  EXPECT_NE(recover(0, "").find(R"("publications":[{"data":1,"info":{"user":"","client":")" + id +
                                R"("},"offset":1}])"),
            std::string::npos);
}

TEST_F(RecoveryTest, NothingIsLostOrDoubledWhilePublicationsGoOn) {
  for (int missed = 0; missed < 30; ++missed) {
    const std::string channel = "race" + std::to_string(missed);
    publish(channel, 1, 10 + missed);
    FakeClient& client = connect();
    for (int i = 11 + missed; i <= 60; ++i) {
      if (i == 30 + missed / 2)
        client.send(R"({"id":2,"subscribe":{"channel":")" + channel +
                    R"(","recover":true,"offset":5}})");
      if (i % 7 == missed % 7) world.run();
      world.publish_later(channel, testing::json(R"({"seq":)" + std::to_string(i) + "}"));
    }
    const Replies replies = take(client);
    ASSERT_EQ(replies.at(0).substr(0, 20), R"({"id":2,"subscribe":)");
    std::vector<int> expected;
    for (int i = 6; i <= 60; ++i) expected.push_back(i);
    EXPECT_EQ(sequence(replies), expected);
  }
}

TEST_F(RecoveryTest, InsufficientStateUnsubscribes) {
  FakeClient& client = connect();
  ask(client, R"({"id":2,"subscribe":{"channel":"a","join_leave":true}})");
  publish("a", 1, 3);
  take(client);
  world.broker().interject([](hub::BrokerEvents& events) {
    events.on_reset({"a"}, {.epoch = {.boot = 77}, .base = 0, .top = 0},
                    hub::GapReason::kEpochChanged);
  });
  EXPECT_THAT(
      take(client),
      ElementsAre(
          R"({"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"insufficient state"}}})"));
  EXPECT_THAT(world.subscribers(), IsEmpty());
  EXPECT_THAT(ask(client, R"({"id":3,"presence_stats":{"channel":"a"}})"),
              ElementsAre(R"({"id":3,"presence_stats":{"num_clients":0,"num_users":0}})"));
  EXPECT_THAT(ask(client, R"({"id":4,"subscribe":{"channel":"a"}})"), SizeIs(1));
}

TEST_F(RecoveryTest, WithoutPositionsAGapIsPassedOver) {
  FakeClient& client = connect();
  ask(client, R"({"id":2,"subscribe":{"channel":"plain"}})");
  world.broker().interject([](hub::BrokerEvents& events) {
    events.on_reset({"plain"}, {.epoch = {.boot = 77}, .base = 0, .top = 0},
                    hub::GapReason::kEpochChanged);
  });
  EXPECT_THAT(take(client), IsEmpty());
  publish("plain", 7, 7);
  EXPECT_THAT(sequence(take(client)), ElementsAre(7));
}

class SlowTest : public RecoveryTest {
 protected:
  // A reader that takes nothing while more is published than is kept.
  FakeClient& fall_behind(const std::string& channel, bool positioned) {
    hub::ChannelOptions small;
    small.history_size = 2;
    small.history_ttl = seconds(300);
    small.positioned = positioned;
    small.tail_bytes = 1000;
    world.rules().set(channel, small);
    FakeClient& client = connect();
    ask(client, R"({"id":2,"subscribe":{"channel":")" + channel + "\"}}");
    client.allow(0);
    publish(channel, 1, 50);
    client.unblock();
    return client;
  }
};

TEST_F(SlowTest, APositionedReaderThatFellBehindIsUnsubscribed) {
  const Replies replies = take(fall_behind("p", true));
  EXPECT_EQ(
      replies.back(),
      R"({"push":{"channel":"p","unsubscribe":{"code":2500,"reason":"insufficient state"}}})");
  EXPECT_THAT(world.subscribers(), IsEmpty());
}

TEST_F(SlowTest, AnotherOneGoesOnBehindTheGap) {
  FakeClient& client = fall_behind("n", false);
  const std::vector<int> seen = sequence(take(client));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), 50);
  EXPECT_EQ(disconnect(client), 0);
}

class SmallOutboxTest : public CentrifugeTest {
 protected:
  SmallOutboxTest() : CentrifugeTest({}, {.outbox_bytes = 1000}) {}
};

TEST_F(SmallOutboxTest, AClientThatTakesNoRepliesIsSlow) {
  const testing::MetricDelta full(R"(parley_session_limits_total{limit="outbox_bytes"})");
  FakeClient& client = connect();
  client.allow(0);
  std::string frame;
  for (int i = 2; i < 40; ++i) frame += R"({"id":)" + std::to_string(i) + ",\"rpc\":{}}\n";
  EXPECT_EQ(disconnect(client, frame), 3008);
  EXPECT_EQ(client.end_seen()->code.text, "slow");
  EXPECT_EQ(full(), 1);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
