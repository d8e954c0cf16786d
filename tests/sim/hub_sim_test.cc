// The hub under a seeded scheduler. PARLEY_SIM_SEEDS=n runs the first n seeds, PARLEY_SIM_SEED=s
// only that one.
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/sim/hub_world.h"

namespace parley::sim {
namespace {

constexpr int kSteps = 5000;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Outcome {
  std::string failure;
  uint64_t hash = 0;
  uint64_t delivered = 0, gaps = 0, recoveries = 0;
  size_t refused_feeds = 0, refused_credits = 0, overloaded = 0;
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
  }
  outcome.refused_feeds = world.rings().refused_feeds;
  outcome.refused_credits = world.rings().refused_credits;
  outcome.overloaded = world.overloaded();
  return outcome;
}

TEST(HubSim, Seeds) {
  uint64_t first = 1, count = from_environment("PARLEY_SIM_SEEDS", 200);
  if (const uint64_t only = from_environment("PARLEY_SIM_SEED", 0)) first = only, count = 1;
  Outcome sum;
  int failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
    const Outcome outcome = run(options_of_seed(seed));
    if (!outcome.failure.empty()) {
      ++failures;
      ADD_FAILURE() << "PARLEY_SIM_SEED=" << seed << ": " << outcome.failure;
    }
    sum.delivered += outcome.delivered;
    sum.gaps += outcome.gaps;
    sum.recoveries += outcome.recoveries;
    sum.refused_feeds += outcome.refused_feeds;
    sum.refused_credits += outcome.refused_credits;
    sum.overloaded += outcome.overloaded;
  }
  // A simulation in which nothing happens proves nothing.
  if (count >= 50) {
    EXPECT_GT(sum.delivered, 1000 * count / 2);
    EXPECT_GT(sum.gaps, count);
    EXPECT_GT(sum.recoveries, count);
    EXPECT_GT(sum.refused_feeds, count);
    EXPECT_GT(sum.refused_credits, count);
    EXPECT_GT(sum.overloaded, 0u);
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

}  // namespace
}  // namespace parley::sim
