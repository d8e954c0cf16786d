// The hub under a seeded scheduler. SIM_SEEDS=n runs n seeds, from SIM_FIRST=k on.
#include <gtest/gtest.h>

#include "tests/sim/hub_world.h"
#include "tests/sim/seeds.h"

namespace parley::sim {
namespace {

constexpr int kSteps = 5000;

struct Outcome {
  std::string failure;
  uint64_t hash = 0;
  uint64_t delivered = 0, gaps = 0, recoveries = 0, changes = 0;
  size_t refused_feeds = 0, refused_credits = 0, overloaded = 0, taken_back = 0;
};

Outcome run(const WorldOptions& options, int steps = kSteps) {
  HubWorld world(options);
  for (int i = 0; i < steps && world.failure().empty(); ++i) world.step();
  if (world.failure().empty()) world.settle(seconds(35));
  if (world.failure().empty()) world.check_settled();
  if (world.failure().empty()) world.check_empty();
  Outcome outcome{.failure = world.failure(), .hash = world.trace().hash()};
  for (size_t i = 0; i < world.readers(); ++i) {
    outcome.delivered += world.reader(i).delivered();
    outcome.gaps += world.reader(i).gaps();
    outcome.recoveries += world.reader(i).recoveries();
    outcome.changes += world.reader(i).changes();
  }
  outcome.refused_feeds = world.rings().refused_feeds;
  outcome.refused_credits = world.rings().refused_credits;
  outcome.overloaded = world.overloaded();
  outcome.taken_back = world.taken_back();
  return outcome;
}

TEST(HubSim, Seeds) {
  const auto [first, count] = seeds_from_environment(200);
  Outcome sum;
  int failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
    const SeedOnTrial trial("sim_hub_test", "HubSim.Seeds", seed);
    const Outcome outcome = run(options_of_seed(seed));
    if (!outcome.failure.empty()) {
      ++failures;
      ADD_FAILURE() << trial.report(outcome.failure);
    }
    sum.delivered += outcome.delivered;
    sum.gaps += outcome.gaps;
    sum.recoveries += outcome.recoveries;
    sum.changes += outcome.changes;
    sum.refused_feeds += outcome.refused_feeds;
    sum.refused_credits += outcome.refused_credits;
    sum.overloaded += outcome.overloaded;
    sum.taken_back += outcome.taken_back;
  }
  // A simulation in which nothing happens proves nothing.
  if (count >= 50) {
    EXPECT_GT(sum.delivered, 1000 * count / 2);
    EXPECT_GT(sum.gaps, count);
    EXPECT_GT(sum.recoveries, count);
    EXPECT_GT(sum.changes, 100 * count);
    EXPECT_GT(sum.refused_feeds, count);
    EXPECT_GT(sum.refused_credits, count);
    EXPECT_GT(sum.overloaded, 0u);
    EXPECT_GT(sum.taken_back, count);
  }
  RecordProperty("delivered", static_cast<int>(sum.delivered));
}

TEST(HubSim, SameSeedSameTrace) {
  for (const uint64_t seed : {1, 2, 3, 14}) {
    const Outcome a = run(options_of_seed(seed)), b = run(options_of_seed(seed));
    EXPECT_EQ(a.hash, b.hash) << "seed " << seed;
    EXPECT_NE(a.hash, run(options_of_seed(seed + 100)).hash);
  }
}

// --- directed scenarios (the numbers of the hub's founding rules) -----------------------------

void finish(HubWorld& world) {
  world.settle(seconds(35));
  world.check_settled();
  world.check_empty();
  EXPECT_EQ(world.failure(), "");
}

std::string homed(ShardId shards, ShardId at, const std::string& space) {
  const hub::SlotTable slots(shards);
  for (int i = 0;; ++i)
    if (std::string name = space + ":" + std::to_string(i); slots.home(name) == at) return name;
}

using Kind = hub::Start::Kind;

// The last unsubscribe against a pending subscribe, at every number of deliveries between the two.
TEST(HubSim, LastUnsubscribeAgainstAPendingSubscribe) {
  const std::string channel = homed(2, 1, "h");
  for (int moves = 0; moves < 12; ++moves) {
    HubWorld world({.seed = 1, .shards = 2, .readers = 0});
    ModelSubscriber& a = world.add_reader(channel);
    ModelSubscriber& b = world.add_reader(channel);
    const auto move = [&](int n) {
      for (int i = 0; i < n; ++i) {
        world.deliver(0, 1);
        world.turn(1, milliseconds(1));
        world.deliver(1, 0);
        world.turn(0, seconds(i % 3 == 0 ? 6 : 0));  // interest lingers 5 s
      }
    };
    a.subscribe(world.hub(0), Kind::kLive, 0);
    move(moves / 4);
    a.unsubscribe();
    world.turn(0, seconds(6));
    move(moves % 4);
    b.subscribe(world.hub(0), Kind::kLive, 0);
    world.publish(1, channel);
    move(1);
    world.settle(seconds(2));
    EXPECT_EQ(b.phase(), ModelSubscriber::Phase::kLive);
    world.publish(1, channel);
    finish(world);
    EXPECT_GE(b.delivered(), 1u);
  }
}

// All rings full both ways: everybody publishes to the other, nothing moves, then it does.
TEST(HubSim, AllRingsFullBothWays) {
  const std::string channels[] = {homed(2, 0, "d"), homed(2, 1, "d")};
  HubWorld world({.seed = 2, .shards = 2, .ring_capacity = 1, .credits = 1, .readers = 0});
  for (const ShardId shard : {0, 1})
    world.add_reader(channels[1 - shard]).subscribe(world.hub(shard), Kind::kLive, 0);
  world.settle(seconds(1));
  for (int round = 0; round < 100; ++round) {
    for (const ShardId shard : {0, 1}) {
      world.publish(shard, channels[0]);
      world.publish(shard, channels[1]);
      world.turn(shard, milliseconds(1));
    }
  }
  EXPECT_GT(world.rings().refused_feeds, 0u);
  EXPECT_GT(world.rings().refused_credits, 0u);
  finish(world);
  EXPECT_EQ(world.reader(0).delivered(), 200u);
  EXPECT_EQ(world.reader(1).delivered(), 200u);
  EXPECT_EQ(world.reader(0).gaps() + world.reader(1).gaps(), 0u);
}

// The feed breaks while a reader recovers, at every point of the recovery.
TEST(HubSim, FeedBrokenWhileRecovering) {
  const std::string channel = homed(2, 1, "d");
  for (int before = 0; before < 12; ++before) {
    for (const bool remote : {false, true}) {
      HubWorld world({.seed = 3, .shards = 2, .readers = 0, .remote = remote});
      ModelSubscriber& reader = world.add_reader(channel);
      reader.subscribe(world.hub(0), Kind::kLive, 0);
      world.settle(seconds(1));
      reader.unsubscribe();
      for (int i = 0; i < 60; ++i) world.publish(1, channel);
      world.settle(seconds(8));
      reader.subscribe(world.hub(0), Kind::kRecover, 1'000'000);
      for (int i = 0; i < before; ++i) {
        world.turn(i % 2 == 0 ? 1 : 0, milliseconds(1));
        world.deliver(i % 2 == 0 ? 0 : 1, i % 2 == 0 ? 1 : 0);
      }
      world.broker(channel).break_feed(channel);
      for (int i = 0; i < 10; ++i) world.publish(1, channel);
      finish(world);
      EXPECT_EQ(reader.recoveries(), 1u);
      EXPECT_EQ(reader.delivered(), 70u);
      EXPECT_EQ(reader.gaps(), 0u);
    }
  }
}

TEST(HubSim, ASlowReaderFallsOutOfTailAndHistory) {
  const std::string channel = homed(1, 0, "h");
  HubWorld world({.seed = 4, .shards = 1, .readers = 0});
  ModelSubscriber& slow = world.add_reader(channel);
  slow.subscribe(world.hub(0), Kind::kLive, 0);
  world.settle(seconds(1));
  for (int i = 0; i < 100; ++i) world.publish(0, channel);
  for (int i = 0; i < 10; ++i) world.turn(0, milliseconds(1));
  finish(world);
  EXPECT_EQ(slow.gaps(), 1u);
  EXPECT_EQ(slow.delivered(), 25u);  // what history keeps
}

TEST(HubSim, ResetAndRollbackOfALiveChannel) {
  const std::string channel = homed(2, 1, "d");
  HubWorld world({.seed = 5, .shards = 2, .readers = 0});
  ModelSubscriber& reader = world.add_reader(channel);
  reader.subscribe(world.hub(0), Kind::kLive, 0);
  world.settle(seconds(1));
  for (int i = 0; i < 10; ++i) world.publish(0, channel);
  world.settle(seconds(1));
  world.broker(channel).roll_back(channel, 7);
  world.publish(0, channel);
  world.settle(seconds(1));
  EXPECT_EQ(reader.gaps(), 1u);
  EXPECT_EQ(reader.position(), 8u);
  world.broker(channel).new_epoch(channel);
  world.publish(0, channel);
  finish(world);
  EXPECT_EQ(reader.gaps(), 2u);
  EXPECT_EQ(reader.delivered(), 12u);
}

}  // namespace
}  // namespace parley::sim
