// The contract under random worlds. SIM_SEEDS=n runs n seeds, from SIM_FIRST=k on; LONG=1 many.
#include <chrono>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/sim/contract_world.h"
#include "tests/sim/seeds.h"
#include "tests/support/metric_delta.h"

namespace parley::sim {
namespace {

struct Sum {
  double virtual_seconds = 0;
  uint64_t published = 0, delivered = 0, gaps = 0, recoveries = 0;
};

TEST(ContractSim, Seeds) {
  const Seeds seeds = seeds_from_environment(std::getenv("LONG") != nullptr ? 2000 : 200);
  Sum sum;
  int failures = 0;
  using testing::MetricDelta;
  const MetricDelta dropped(R"(parley_overflow_skipped_total{policy="drop_oldest"})");
  const MetricDelta conflated(R"(parley_overflow_skipped_total{policy="latest"})");
  const MetricDelta waited(R"(parley_publishes_blocked_total{outcome="admitted"})");
  const MetricDelta refused(R"(parley_publishes_blocked_total{outcome="timeout"})");
  const MetricDelta slowed(R"(parley_publishes_braked_total{outcome="slowed"})");
  const auto started = std::chrono::steady_clock::now();
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count && failures < 5; ++seed) {
    const SeedOnTrial trial("sim_contract_test", "ContractSim.Seeds", seed);
    ContractWorld world(contract_of_seed(seed));
    world.run();
    if (!world.failure().empty()) {
      ++failures;
      ADD_FAILURE() << trial.report(world.failure());
    }
    sum.virtual_seconds += world.seconds_passed();
    sum.published += world.published();
    sum.delivered += world.delivered();
    sum.gaps += world.gaps();
    sum.recoveries += world.recoveries();
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  std::printf(
      "%llu seeds: %.0f virtual seconds in %.1f s, %.0f times as fast as real time; "
      "%llu published, %llu delivered, %llu recoveries, %llu gaps\n",
      static_cast<unsigned long long>(seeds.count), sum.virtual_seconds, wall.count(),
      sum.virtual_seconds / wall.count(), static_cast<unsigned long long>(sum.published),
      static_cast<unsigned long long>(sum.delivered),
      static_cast<unsigned long long>(sum.recoveries), static_cast<unsigned long long>(sum.gaps));
  // A simulation in which nothing happens proves nothing.
  if (seeds.count >= 50 && failures == 0) {
    EXPECT_GT(sum.published, 50 * seeds.count);
    EXPECT_GT(sum.delivered, 100 * seeds.count);
    EXPECT_GT(sum.recoveries, 5 * seeds.count);
    EXPECT_GT(sum.gaps, 5 * seeds.count);
    for (const auto* policy : {&dropped, &conflated, &waited, &refused, &slowed})
      EXPECT_GT((*policy)(), static_cast<int64_t>(seeds.count) / 4);
    EXPECT_GT(sum.virtual_seconds, 50.0 * static_cast<double>(seeds.count));
  }
}

TEST(ContractSim, SameSeedSameTrace) {
  const auto trace = [](uint64_t seed) {
    ContractWorld world(contract_of_seed(seed));
    world.run();
    return world.trace();
  };
  for (const uint64_t seed : {3, 4, 5, 6, 7}) {
    const uint64_t once = trace(seed);
    EXPECT_EQ(once, trace(seed)) << "seed " << seed;
    EXPECT_NE(once, trace(seed + 100));
    std::printf("seed %llu: trace %016llx\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(once));
  }
}

}  // namespace
}  // namespace parley::sim
