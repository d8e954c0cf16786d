#include "server/drain.h"

#include <gtest/gtest.h>

namespace parley::server {
namespace {

TEST(DrainTest, TellsEvenlyOverTheWindow) {
  const Time start(seconds(100));
  Drain drain(10'000, seconds(10), start);
  size_t told = 0;
  for (int tick = 0; tick < 1000; ++tick) {
    const Time now = start + milliseconds(10) * tick;
    EXPECT_FALSE(drain.over(now));
    const size_t some = drain.next(now);
    EXPECT_LE(some, 11u);
    told += some;
    EXPECT_NEAR(static_cast<double>(told), 10.0 * tick, 10.0);
  }
  EXPECT_TRUE(drain.over(start + seconds(10)));
  told += drain.next(start + seconds(10));
  EXPECT_EQ(told, 10'000u);
}

TEST(DrainTest, FewAreNoHerd) {
  const Time start(seconds(100));
  EXPECT_TRUE(Drain(0, seconds(10), start).over(start));
  EXPECT_TRUE(Drain(2, seconds(10), start).over(start + milliseconds(10)));
  EXPECT_FALSE(Drain(400, seconds(10), start).over(start + milliseconds(1990)));
}

TEST(DrainTest, ALateTurnCatchesUp) {
  const Time start(seconds(100));
  Drain drain(10'000, seconds(10), start);
  EXPECT_EQ(drain.next(start + seconds(5)), 5000u);
  EXPECT_EQ(drain.next(start + seconds(5)), 0u);
  EXPECT_EQ(drain.next(start + seconds(60)), 5000u);
}

TEST(DrainTest, NoWindowIsAtOnce) {
  Drain drain(10'000, Duration::zero(), Time(seconds(100)));
  EXPECT_TRUE(drain.over(Time(seconds(100))));
}

}  // namespace
}  // namespace parley::server
