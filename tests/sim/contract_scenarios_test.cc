// The situations in which servers of this kind lose data, stall or contradict themselves, one by
// one, on whole nodes. In the random worlds all of them happen, too.
#include <gtest/gtest.h>

#include "tests/sim/contract_world.h"

namespace parley::sim {
namespace {

// Nobody but whom the scenario brings, and nothing that goes wrong by itself.
ContractOptions quiet(ShardId shards, uint64_t seed = 1) {
  ContractOptions options{.seed = seed, .shards = shards};
  options.centrifuge_clients = options.eventsource_clients = 0;
  options.line = {.delay_from = milliseconds(1), .delay_to = milliseconds(3)};
  return options;
}

void finish(ContractWorld& world) {
  world.settle_and_check();
  EXPECT_EQ(world.failure(), "");
}

// A client that comes in on that shard and reads the channel.
CentrifugeClient& add_reader(ContractWorld& world, ShardId shard, const std::string& channel,
                             const CentrifugeHabits& habits = {}) {
  world.lead_to(shard);
  CentrifugeClient& client = world.add_centrifuge(habits);
  client.start();
  client.subscribe(world.channel(channel));
  world.pass(milliseconds(100));
  world.lead_to(kNoShard);
  return client;
}

ShardId away_from(const ContractWorld& world, const std::string& channel) {
  return static_cast<ShardId>(1 - world.home(channel));
}

// (a) The last reader leaves and the next one comes, while the interest that the first had is being
// dropped: at every millisecond of it.
TEST(HubScenario, LastUnsubscribeAgainstAPendingSubscribe) {
  for (int i = -6; i <= 6; ++i) {
    ContractOptions options = quiet(2);
    options.shard.ring_delay = milliseconds(4);
    ContractWorld world(options);
    CentrifugeClient& first = add_reader(world, away_from(world, "h:1"), "h:1");
    CentrifugeClient& next = add_reader(world, away_from(world, "h:1"), "h:2");
    first.unsubscribe(world.channel("h:1"));
    world.pass(seconds(5) + milliseconds(i));
    next.subscribe(world.channel("h:1"));
    world.api_publish("h:1");
    world.pass(milliseconds(40));
    world.api_publish("h:1");
    world.pass(milliseconds(100));
    EXPECT_GE(next.delivered(), 1u) << i;
    finish(world);
  }
}

// (b) Everybody publishes to the other shard, and nothing moves; then it does.
TEST(HubScenario, AllRingsFullBothWays) {
  ContractOptions options = quiet(2, 2);
  options.ring_capacity = options.credits = 1;
  options.large_history = 1000;
  ContractWorld world(options);
  for (const ShardId shard : {0, 1}) {
    CentrifugeClient& client = add_reader(world, shard, "l:1");
    client.subscribe(world.channel("l:2"));
  }
  world.pass(seconds(1));
  world.close_rings(seconds(3));
  for (int i = 0; i < 200; ++i) {
    world.api_publish(i % 2 == 0 ? "l:1" : "l:2");
    world.pass(milliseconds(10));
  }
  EXPECT_GT(world.rings().refused_feeds, 0u);
  EXPECT_GT(world.rings().refused_credits, 0u);
  world.pass(seconds(10));
  EXPECT_EQ(world.delivered(), 400u);
  EXPECT_EQ(world.gaps(), 0u);
  finish(world);
}

// (c) The process dies between a delivery and the sync: whoever read above what the disk has is
// told.
TEST(HubScenario, CrashWithReadersAboveTheDurableTop) {
  ContractOptions options = quiet(2, 3);
  options.broker = BrokerKind::kDurable;
  options.sync_every = seconds(600);
  options.small_history = 5;
  ContractWorld world(options);
  CentrifugeClient& client = add_reader(world, 0, "h:1");
  EventSourceClient& source = world.add_eventsource("h:1");
  source.start();
  world.pass(seconds(1));
  for (int i = 0; i < 3; ++i) world.api_publish("h:1");
  world.pass(seconds(1));
  EXPECT_EQ(client.delivered(), 3u);
  EXPECT_EQ(source.delivered(), 3u);
  world.crash(milliseconds(100));
  world.pass(milliseconds(200));
  // Other publications take the offsets of those that are lost.
  for (int i = 0; i < 4; ++i) world.api_publish("h:1");
  world.pass(seconds(5));
  EXPECT_EQ(client.gaps(), 1u);
  EXPECT_EQ(source.gaps(), 1u);
  EXPECT_EQ(source.delivered(), 7u);
  EXPECT_EQ(client.recoveries(), 0u);
  EXPECT_EQ(world.failure(), "");
}

// ... and nobody reads above it where the namespace wants it durable.
TEST(HubScenario, NothingAboveTheDurableTopIsSeen) {
  ContractOptions options = quiet(2, 4);
  options.broker = BrokerKind::kDurable;
  options.sync_every = seconds(10);
  ContractWorld world(options);
  CentrifugeClient& client = add_reader(world, 0, "l:1");
  world.api_publish("l:1");
  world.pass(milliseconds(200));
  const uint64_t before = client.delivered();
  world.pass(seconds(10));
  EXPECT_EQ(before, 0u);
  EXPECT_EQ(client.delivered(), 1u);
  world.api_publish("l:1");
  world.pass(milliseconds(200));
  world.crash(milliseconds(100));
  world.pass(seconds(20));
  EXPECT_EQ(client.recoveries(), 1u);
  EXPECT_EQ(client.gaps(), 0u);
  EXPECT_EQ(world.failure(), "");
}

// (d) A client comes back on another shard while a broadcast and the answer to its own publish are
// on their way, at every millisecond of that.
TEST(HubScenario, ComesBackOnAnotherShardWithABroadcastAndAnAnswerInFlight) {
  for (int i = 0; i < 12; ++i) {
    ContractOptions options = quiet(2, 5);
    options.shard.ring_delay = milliseconds(4);
    ContractWorld world(options);
    const ShardId home = world.home("l:1");
    CentrifugeClient& client = add_reader(world, away_from(world, "l:1"), "l:1");
    CentrifugeClient& other = add_reader(world, home, "l:1");
    client.publish(world.channel("l:1"));
    other.publish(world.channel("l:1"));
    world.pass(milliseconds(i));
    client.line()->cut();
    world.lead_to(home);
    world.pass(seconds(4));
    EXPECT_EQ(other.delivered(), client.delivered()) << i;
    EXPECT_EQ(client.recoveries(), 1u);
    finish(world);
  }
}

// (e) One reader with deltas and a filter that falls behind, is cut and comes back.
TEST(HubScenario, CutDeltaAndFilterOnOneReader) {
  ContractOptions options = quiet(2, 6);
  options.tail_bytes = 1500;
  options.line.socket_bytes = 700;
  ContractWorld world(options);
  CentrifugeClient& reader = add_reader(world, away_from(world, "l:1"), "l:1",
                                        {.user = "u", .delta = true, .filter = "1"});
  for (int round = 0; round < 8; ++round) {
    if (reader.line() != nullptr) reader.line()->read(round % 2 == 0);
    for (int i = 0; i < 30; ++i) {
      world.api_publish("l:1", "", std::to_string(i % 3));
      world.pass(milliseconds(10));
    }
    if (round % 3 == 2 && reader.line() != nullptr) reader.line()->cut();
    world.pass(seconds(3));
  }
  EXPECT_GT(reader.recoveries(), 0u);
  finish(world);
  EXPECT_GE(reader.delivered(), 80u);
}

// ... and one whose channel begins anew, again and again: what it held at an offset of the life
// that ended is no base for a change in the next one, though the offset be the same.
TEST(HubScenario, ADeltaIsNeverOfABaseFromBeforeAReset) {
  ContractOptions options = quiet(2, 11);
  options.broker = BrokerKind::kRemote;
  ContractWorld world(options);
  CentrifugeClient& reader = add_reader(world, away_from(world, "d:1"), "d:1",
                                        {.user = "u", .delta = true, .filter = "1"});
  for (int round = 1; round <= 30; ++round) {
    world.lose_history("d:1");
    world.pass(milliseconds(200));
    // Up to the offset that the reader was given last everything is hidden from it.
    for (int hidden = 1; hidden <= round; ++hidden) world.api_publish("d:1", "", "0");
    world.api_publish("d:1", "", "1");
    world.pass(milliseconds(200));
  }
  EXPECT_EQ(reader.delivered(), 30u);
  finish(world);
}

// (f) The broker's line breaks while a client recovers, at every few milliseconds of the recovery.
TEST(HubScenario, FeedBrokenWhileRecovering) {
  for (int i = 0; i < 12; ++i) {
    ContractOptions options = quiet(2, 7);
    options.broker = BrokerKind::kRemote;
    options.tail_bytes = 1;
    ContractWorld world(options);
    CentrifugeClient& reader = add_reader(world, away_from(world, "l:1"), "l:1");
    reader.line()->cut();
    for (int n = 0; n < 40; ++n) world.api_publish("l:1");
    while (!reader.connected()) world.pass(milliseconds(1));
    world.pass(milliseconds(4 * i));
    world.break_broker_line("l:1", milliseconds(300));
    for (int n = 0; n < 10; ++n) world.api_publish("l:1");
    world.pass(seconds(8));
    EXPECT_EQ(reader.gaps(), 0u) << i;
    finish(world);
  }
}

// (h) A user may be connected once; two connections come at the same moment, at every millisecond
// of each other's takeover: exactly one stays.
TEST(HubScenario, TwoConnectionsOfOneUserAtOnce) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    ContractOptions options = quiet(2, seed);
    options.shard.ring_delay = milliseconds(4);
    ContractWorld world(options);
    world.allow_one_connection("u");
    world.lead_to(0);
    CentrifugeClient& first = world.add_centrifuge({.user = "u"});
    first.start();
    world.lead_to(1);
    CentrifugeClient& second = world.add_centrifuge({.user = "u"});
    world.pass(milliseconds(static_cast<int>(seed - 1) % 10));
    second.start();
    world.pass(seconds(1));
    EXPECT_EQ(first.connected() + second.connected(), 1) << seed;
    EXPECT_EQ(world.failure(), "");
  }
}

// ... and the older one's token is verified long after the newer one was connected.
TEST(HubScenario, AnOlderConnectionWhoseTokenComesLateGivesWay) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    ContractOptions options = quiet(2, seed);
    options.late_tokens = 70;
    ContractWorld world(options);
    world.allow_one_connection("u");
    world.lead_to(0);
    CentrifugeClient& first = world.add_centrifuge({.user = "u"});
    first.start();
    world.pass(milliseconds(300));
    world.lead_to(1);
    CentrifugeClient& second = world.add_centrifuge({.user = "u"});
    second.start();
    world.pass(seconds(60));
    EXPECT_EQ(world.failure(), "");
    if (first.lines() != 1 || second.lines() != 1) continue;  // gave its first line up
    EXPECT_FALSE(first.connected()) << seed;
    EXPECT_TRUE(second.connected()) << seed;
  }
}

// (i) Who asked is gone when the answer of a hook comes, or it never comes.
TEST(HubScenario, AHooksAnswerAfterTheClose) {
  ContractOptions options = quiet(2, 9);
  options.late_tokens = 60;
  options.lost_tokens = 40;
  ContractWorld world(options);
  for (int i = 0; i < 20; ++i) {
    CentrifugeClient& client = world.add_centrifuge({.user = "u" + std::to_string(i)});
    client.start();
    client.subscribe(world.channel("h:1"));
  }
  for (int i = 0; i < 40; ++i) {
    world.pass(milliseconds(250));
    world.cut_one();
  }
  finish(world);
}

// A client that only listens is found gone by two heartbeats, of which its side confirms none; who
// merely does not read is not.
TEST(HubScenario, AListenerWhoseLineIsDownIsFoundAndOneThatDoesNotReadIsNot) {
  ContractWorld world(quiet(1, 11));
  EventSourceClient& gone = world.add_eventsource("h:1");
  EventSourceClient& still = world.add_eventsource("h:1");
  gone.start();
  still.start();
  world.pass(seconds(20));
  gone.line()->go_silent();
  still.line()->read(false);
  world.pass(seconds(8));
  EXPECT_EQ(world.shard(0).table().size(), 2u);
  world.pass(seconds(20));
  EXPECT_EQ(world.shard(0).table().size(), 1u);
  still.line()->read(true);
  finish(world);
}

// The wall clock jumps to and fro: nobody is disconnected, nothing comes twice, no timer is lost.
TEST(HubScenario, JumpsOfTheWallClockEndNobody) {
  ContractOptions options = quiet(2, 10);
  options.faults.clock = seconds(2);
  ContractWorld world(options);
  CentrifugeClient& reader = add_reader(world, 0, "h:1", {.user = "u"});
  EventSourceClient& source = world.add_eventsource("h:1");
  world.start_faults();
  source.start();
  for (int i = 0; i < 120; ++i) {
    world.api_publish("h:1");
    world.pass(seconds(1));
  }
  EXPECT_EQ(reader.delivered(), 120u);
  EXPECT_EQ(source.delivered(), 120u);
  EXPECT_EQ(reader.lines(), 1u);
  finish(world);
}

}  // namespace
}  // namespace parley::sim
