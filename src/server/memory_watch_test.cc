#include "server/memory_watch.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::server {
namespace {

TEST(MemoryWatchTest, LooksOnceASecondAndActsOnWhatIsNew) {
  size_t used = 10;
  std::vector<MemoryStep> acts;
  MemoryWatch watch(1000, [&] { return used; }, [&](MemoryStep step) { acts.push_back(step); });
  const testing::MetricDelta refusing(R"(parley_memory_steps_total{step="refuse"})");
  Now now{.mono = Time(seconds(100))};
  TimerWheel timers(now.mono);
  watch.start(timers, now.mono);
  const auto pass = [&](int count, size_t bytes) {
    used = bytes;
    acts.clear();
    for (int i = 0; i < count * 10; ++i) {
      now.mono += milliseconds(100);
      timers.advance(now, 10);
    }
    return acts;
  };
  using enum MemoryStep;
  EXPECT_EQ(pass(10, 500), std::vector<MemoryStep>{});
  EXPECT_EQ(pass(5, 820), std::vector{kSave});
  EXPECT_EQ(pass(5, 910), std::vector{kRefuse});
  EXPECT_GE(pass(5, 990).size(), 4u);  // the last step again and again
  EXPECT_EQ(pass(5, 100).back(), kNone);
  EXPECT_EQ(refusing(), 1);
}

// What was freed and is only kept by the allocator counts until it is given back.
TEST(MemoryWatchTest, WhatWasFreedDoesNotLockTheDoors) {
  size_t used = 10, kept = 0, trims = 0;
  std::vector<MemoryStep> acts;
  MemoryWatch watch(
      1000, [&] { return used + kept; }, [&](MemoryStep step) { acts.push_back(step); },
      [&] { kept = 0, ++trims; });
  Time now(seconds(100));
  const auto look = [&] { watch.look(now += seconds(1)); };
  used = 920;
  for (int i = 0; i < 30; ++i) look();
  EXPECT_EQ(acts, std::vector{MemoryStep::kRefuse});
  EXPECT_EQ(trims, 3u);
  used = 100, kept = 820;
  for (int i = 0; i < 11; ++i) look();
  EXPECT_EQ(acts.back(), MemoryStep::kNone);
}

// Without a limit too: what thousands made the process hold is given back when they have gone.
TEST(MemoryWatchTest, GivesBackWhatACrowdLeaves) {
  size_t there = 0, trims = 0;
  MemoryWatch watch(
      0, [] { return size_t{1000}; }, [](MemoryStep) { FAIL(); }, [&] { ++trims; },
      [&] { return there; });
  Now now{.mono = Time(seconds(100))};
  TimerWheel timers(now.mono);
  watch.start(timers, now.mono);
  const auto pass = [&](int count, size_t crowd) {
    there = crowd;
    for (int i = 0; i < count * 10; ++i) {
      now.mono += milliseconds(100);
      timers.advance(now, 10);
    }
    return trims;
  };
  EXPECT_EQ(pass(30, 40), 0u);
  EXPECT_EQ(pass(30, 0), 0u) << "few leave little";
  EXPECT_EQ(pass(5, 1000), 0u);
  EXPECT_EQ(pass(5, 600), 0u);
  EXPECT_EQ(pass(30, 400), 1u) << "once for each that left";
  EXPECT_EQ(pass(2, 100), 2u);
  EXPECT_EQ(pass(3, 1000), 2u);
  EXPECT_EQ(pass(3, 0), 2u) << "not within ten seconds of the last time";
  EXPECT_EQ(pass(10, 0), 3u);
}

}  // namespace
}  // namespace parley::server
