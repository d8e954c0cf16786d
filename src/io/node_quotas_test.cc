#include "io/node_quotas.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "tests/support/metric_delta.h"

namespace parley::io {
namespace {

constexpr Rate kTen{.per_second = 10};
constexpr Time kStart{seconds(1000)};

uint64_t key(uint64_t n) {
  return siphash13({1, 2}, {reinterpret_cast<const char*>(&n), sizeof n});
}

int taken(SharedBuckets& buckets, uint64_t who, Time now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += buckets.take(who, now) ? 1 : 0;
  return count;
}

TEST(SharedBucketsTest, EachKeyHasItsOwn) {
  SharedBuckets buckets(kTen, 64);
  EXPECT_EQ(taken(buckets, key(1), kStart, 50), 10);
  EXPECT_EQ(taken(buckets, key(2), kStart, 50), 10);
  EXPECT_GT(buckets.wait(key(1), kStart), milliseconds(99));
  EXPECT_EQ(buckets.wait(key(3), kStart), Duration::zero());
}

TEST(SharedBucketsTest, GivesWhatTheRateSaysOverAMinute) {
  for (const uint32_t per_second : {1u, 3u, 7u, 100u, 9'973u}) {
    SharedBuckets buckets({.per_second = per_second}, 8);
    Time now = kStart;
    uint64_t count = 0;
    const int steps = 600;
    for (int i = 0; i < steps; ++i, now += milliseconds(100))
      while (buckets.take(key(1), now)) ++count;
    const double wanted = per_second * (59.9 + 1);
    EXPECT_NEAR(static_cast<double>(count), wanted, wanted * 0.01 + 1) << per_second;
  }
}

// As many as there may be: the word's ticks are coarse for so many.
TEST(SharedBucketsTest, AMillionASecondAreGivenToTheHundredth) {
  SharedBuckets buckets({.per_second = 1'000'000, .burst = 1000}, 8);
  Time now = kStart;
  int count = taken(buckets, key(1), now, 2000);
  for (int i = 0; i < 1000; ++i)
    count += taken(buckets, key(1), now += Duration(milliseconds(1)) / 10, 200);
  EXPECT_NEAR(count, 101'000, 1'010);
}

TEST(SharedBucketsTest, ASilentOneIsFullHoweverLongItWasSilent) {
  SharedBuckets buckets(kTen, 8);
  Time now = kStart;
  for (const Duration silence :
       {Duration(seconds(2)), Duration(std::chrono::hours(2)), Duration(std::chrono::hours(4)),
        Duration(std::chrono::hours(40))}) {
    EXPECT_EQ(taken(buckets, key(1), now, 50), 10);
    now += silence;
  }
  // The word's clock has come round once and stands where it stood: the worst moment there is.
  SharedBuckets again(kTen, 8);
  EXPECT_EQ(taken(again, key(1), kStart, 50), 10);
  const Duration round{(int64_t{1} << 40) * 16};
  EXPECT_EQ(taken(again, key(1), kStart + round, 50), 0) << "for a second at most";
  EXPECT_EQ(taken(again, key(1), kStart + round + seconds(1), 50), 10);
}

TEST(SharedBucketsTest, AClockThatIsBehindTakesFromTheSameBucket) {
  SharedBuckets buckets(kTen, 8);
  EXPECT_EQ(taken(buckets, key(1), kStart + milliseconds(20), 50), 10);
  EXPECT_EQ(taken(buckets, key(1), kStart, 50), 0);
}

TEST(SharedBucketsTest, TheNearestToFullIsForgotten) {
  SharedBuckets buckets(kTen, 64);
  taken(buckets, key(0), kStart, 50);
  for (uint64_t peer = 1; peer < 100'000; ++peer) {
    EXPECT_TRUE(buckets.take(key(peer), kStart)) << peer;
    if (peer % 1000 == 0) {
      EXPECT_FALSE(buckets.take(key(0), kStart)) << peer;
    }
  }
}

TEST(SharedBucketsTest, ThreadsTogetherGetNoMore) {
  SharedBuckets buckets({.per_second = 20'000}, 64);
  std::atomic<int> count{0};
  std::vector<std::jthread> threads;
  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] { count += taken(buckets, key(7), kStart, 20'000); });
  threads.clear();
  EXPECT_EQ(count, 20'000);
}

TEST(SharedCountsTest, ThreadsTogetherGetNoMore) {
  SharedCounts counts;
  std::atomic<int> most{0};
  std::atomic<int> there{0};
  std::vector<std::jthread> threads;
  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        if (!counts.take(key(1), 3)) continue;
        const int now = ++there;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --there;
        counts.give_back(key(1));
      }
    });
  threads.clear();
  EXPECT_LE(most, 3);
  EXPECT_EQ(counts.size(), 0u);
}

class NodeQuotasTest : public ::testing::Test {
 protected:
  int allowed(NodeQuotas& quotas, Operation what, PeerKeys who, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += quotas.may(what, who, now_) ? 1 : 0;
    return count;
  }
  Time now_ = kStart;
};

TEST_F(NodeQuotasTest, AUserHasOneBucketWhereverItComesFrom) {
  const testing::MetricDelta refused(R"(parley_rate_limited_total{rate="user_publishes"})");
  NodeQuotas quotas({.user_publishes = {.per_second = 5}});
  EXPECT_EQ(allowed(quotas, Operation::kPublish, {key(1), key(9)}, 4), 4);
  EXPECT_EQ(allowed(quotas, Operation::kPublish, {key(2), key(9)}, 4), 1);
  EXPECT_EQ(allowed(quotas, Operation::kPublish, {key(1), key(8)}, 9), 5);
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(1), key(9)}, 9), 9) << "no publishes";
  EXPECT_EQ(refused(), 3 + 4);
}

TEST_F(NodeQuotasTest, AnAddressHasOneBucketForAllItsUsers) {
  NodeQuotas quotas({.address_commands = {.per_second = 5}});
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(1), key(8)}, 3), 3);
  EXPECT_EQ(allowed(quotas, Operation::kPublish, {key(1), key(9)}, 9), 2) << "publishes count too";
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(2), key(9)}, 9), 5);
}

TEST_F(NodeQuotasTest, NobodyInParticularIsNotLimited) {
  NodeQuotas quotas({.user_commands = {.per_second = 1}});
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(1), 0}, 9), 9);
}

TEST_F(NodeQuotasTest, WhatTheUserMayNotTakesNothingFromItsAddress) {
  NodeQuotas quotas({.address_commands = {.per_second = 5}, .user_commands = {.per_second = 1}});
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(1), key(8)}, 99), 1);
  EXPECT_EQ(allowed(quotas, Operation::kCommand, {key(1), 0}, 99), 4);
}

TEST_F(NodeQuotasTest, ThreadsTogetherGetNoMore) {
  constexpr int kEach = 20'000;
  NodeQuotas quotas(
      {.address_opened = {.per_second = kEach}, .user_commands = {.per_second = kEach}});
  std::atomic<int> commands{0};
  std::atomic<int> opened{0};
  std::vector<std::jthread> threads;
  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] {
      commands += allowed(quotas, Operation::kCommand, {key(1), key(8)}, kEach);
      for (int i = 0; i < kEach; ++i) opened += quotas.admit(key(1), now_).index() == 0 ? 1 : 0;
    });
  threads.clear();
  EXPECT_EQ(commands, kEach);
  EXPECT_EQ(opened, kEach);
}

TEST_F(NodeQuotasTest, AUserHasSoManyConnections) {
  const testing::MetricDelta refused("parley_user_connections_refused_total");
  NodeQuotas quotas({.user_connections = 2});
  EXPECT_TRUE(quotas.enter_user(key(1), false));
  EXPECT_TRUE(quotas.enter_user(key(1), false));
  EXPECT_FALSE(quotas.enter_user(key(1), false));
  EXPECT_TRUE(quotas.enter_user(key(1), true)) << "who ends the others";
  EXPECT_TRUE(quotas.enter_user(key(2), false));
  quotas.leave_user(key(1));
  EXPECT_FALSE(quotas.enter_user(key(1), false));
  quotas.leave_user(key(1));
  EXPECT_TRUE(quotas.enter_user(key(1), false));
  EXPECT_EQ(refused(), 2);
}

}  // namespace
}  // namespace parley::io
