#include "base/token_bucket.h"

#include <gtest/gtest.h>

#include "base/bucket_table.h"
#include "base/hash.h"

namespace parley {
namespace {

constexpr Rate kTen{.per_second = 10};
constexpr Rate kTenAndThree{.per_second = 10, .burst = 3};

int taken(TokenBucket& bucket, const Rate& rate, Time now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(rate, now) ? 1 : 0;
  return count;
}

TEST(TokenBucketTest, BeginsFull) {
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, kTen, Time(seconds(100)), 50), 10);
  TokenBucket small;
  EXPECT_EQ(taken(small, kTenAndThree, Time(seconds(100)), 50), 3);
}

TEST(TokenBucketTest, FillsAtItsRateAndNoFurtherThanFull) {
  TokenBucket bucket;
  Time now(seconds(100));
  EXPECT_EQ(taken(bucket, kTenAndThree, now, 50), 3);
  EXPECT_EQ(bucket.wait(kTenAndThree, now), milliseconds(100));
  now += milliseconds(99);
  EXPECT_FALSE(bucket.take(kTenAndThree, now));
  now += milliseconds(1);
  EXPECT_TRUE(bucket.take(kTenAndThree, now));
  EXPECT_FALSE(bucket.take(kTenAndThree, now));
  now += seconds(3600);
  EXPECT_EQ(taken(bucket, kTenAndThree, now, 50), 3);
}

// Whoever asks more often gets as much as the rate says, to the token.
TEST(TokenBucketTest, GivesWhatTheRateSaysOverAMinute) {
  TokenBucket bucket;
  Time now(seconds(100));
  int count = 0;
  for (int ms = 0; ms < 60'000; ++ms, now += milliseconds(1)) count += bucket.take(kTen, now);
  EXPECT_EQ(count, 10 + 599);
}

TEST(TokenBucketTest, ARefusedOneCostsNothing) {
  TokenBucket bucket;
  Time now(seconds(100));
  taken(bucket, kTen, now, 1000);
  EXPECT_EQ(bucket.wait(kTen, now), milliseconds(100));
}

TEST(BucketTableTest, EachKeyHasItsOwn) {
  BucketTable table(64);
  const Time now(seconds(100));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(table.take(1, kTen, now));
  EXPECT_FALSE(table.take(1, kTen, now));
  EXPECT_TRUE(table.take(2, kTen, now));
  EXPECT_GT(table.wait(1, kTen, now), Duration::zero());
}

// Who takes most is remembered, whatever number of others comes.
TEST(BucketTableTest, TheNearestToFullIsForgotten) {
  BucketTable table(64);
  Time now(seconds(100));
  const auto key = [](uint64_t peer) {
    return stable_hash({reinterpret_cast<const char*>(&peer), sizeof peer});
  };
  for (int i = 0; i < 10; ++i) table.take(key(0), kTen, now);
  for (uint64_t peer = 1; peer < 100'000; ++peer) {
    EXPECT_TRUE(table.take(key(peer), kTen, now));
    if (peer % 1000 == 0) {
      EXPECT_FALSE(table.take(key(0), kTen, now));
    }
  }
}

}  // namespace
}  // namespace parley
