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
class MemoryAfterACrowd : public ::testing::Test {
 protected:
  // So many seconds with so many connections; returns how often memory was given back.
  size_t pass(int count, size_t there) {
    if (there > crowd_.there) crowd_.came += there - crowd_.there;
    crowd_.there = there;
    for (int i = 0; i < count; ++i) watch_.look(now_ += seconds(1));
    return trims_;
  }

  size_t used_ = 1000;
  Crowd crowd_;
  size_t trims_ = 0;
  Time now_{seconds(100)};
  MemoryWatch watch_{0, [this] { return used_; }, [](MemoryStep) { FAIL(); }, [this] { ++trims_; },
                     [this] { return crowd_; }};
};

TEST_F(MemoryAfterACrowd, IsGivenBack) {
  EXPECT_EQ(pass(30, 40), 0u);
  EXPECT_EQ(pass(30, 0), 0u) << "few leave little";
  EXPECT_EQ(pass(5, 1000), 0u);
  EXPECT_EQ(pass(5, 600), 0u);
  EXPECT_EQ(pass(90, 400), 1u) << "once for each that left";
  EXPECT_EQ(pass(3, 100), 2u);
  EXPECT_EQ(pass(3, 1000), 2u);
  used_ = 1100;
  EXPECT_EQ(pass(3, 0), 2u) << "not within ten seconds of the last time";
  EXPECT_EQ(pass(10, 0), 3u);
}

TEST_F(MemoryAfterACrowd, IsGivenBackWhenItCameAndWentBetweenTwoLooks) {
  pass(60, 10);
  crowd_.came += 1000;
  EXPECT_EQ(pass(1, 10), 1u);
}

// What connections that come and go all the time use, they use again.
TEST_F(MemoryAfterACrowd, IsNotGivenBackForNothing) {
  const auto churn = [&](int count) {
    for (int i = 0; i < count; ++i) {
      crowd_.came += 200;
      pass(1, 5);
    }
    return trims_;
  };
  EXPECT_EQ(churn(55), 1u);
  used_ = 1030;
  EXPECT_EQ(churn(10), 2u) << "after a minute again";
  used_ = 1100;
  EXPECT_EQ(churn(15), 3u) << "sooner where it grew";
}

// The last of them would leave too few behind to be a crowd.
TEST_F(MemoryAfterACrowd, IsGivenBackWhenAllOfItHasGone) {
  for (const size_t going : {1000, 700, 400, 200, 45, 7, 0}) EXPECT_EQ(pass(1, going), 0u) << going;
  EXPECT_EQ(pass(1, 0), 1u);
  pass(60, 0);
  for (const size_t slowly : {1000, 460, 450, 440, 430}) pass(1, slowly);
  EXPECT_EQ(trims_, 2u) << "some that go one by one do not put it off";
}

}  // namespace
}  // namespace parley::server
