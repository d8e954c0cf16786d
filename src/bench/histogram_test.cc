#include "bench/histogram.h"

#include <gtest/gtest.h>

namespace parley::bench {
namespace {

TEST(BenchHistogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
}

TEST(BenchHistogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 64; ++value) histogram.add(value);
  for (uint64_t value = 0; value < 64; ++value)
    EXPECT_EQ(histogram.quantile(static_cast<double>(value) / 64), value);
}

TEST(BenchHistogram, LargeValuesAreWithinThreePercent) {
  for (uint64_t value = 1; value < UINT64_MAX / 3; value *= 3) {
    Histogram histogram;
    histogram.add(value);
    EXPECT_LE(histogram.quantile(0.5), value);
    EXPECT_GE(histogram.quantile(0.5), value - value / 32);
    EXPECT_EQ(histogram.max(), value);
  }
  Histogram histogram;
  histogram.add(UINT64_MAX);
  EXPECT_GE(histogram.quantile(0), UINT64_MAX - UINT64_MAX / 32);
}

TEST(BenchHistogram, QuantilesCountFromBelow) {
  Histogram histogram;
  for (int i = 0; i < 990; ++i) histogram.add(10);
  for (int i = 0; i < 10; ++i) histogram.add(50);
  EXPECT_EQ(histogram.quantile(0.5), 10u);
  EXPECT_EQ(histogram.quantile(0.98), 10u);
  EXPECT_EQ(histogram.quantile(0.995), 50u);
  EXPECT_EQ(histogram.quantile(1), 50u);
  histogram.clear();
  EXPECT_EQ(histogram.total(), 0u);
}

}  // namespace
}  // namespace parley::bench
