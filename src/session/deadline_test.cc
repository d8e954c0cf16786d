#include "session/deadline.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

Now at(Duration since_start) { return {.mono = Time(since_start), .wall = 0}; }

TEST(Deadline, IsNeverEarlyAndAtMostATickLate) {
  for (const Duration start : {Duration(0), Duration(1), Duration(milliseconds(16)),
                               Duration(std::chrono::hours(24 * 900)), Duration(seconds(3))}) {
    for (const Duration after : {Duration(0), Duration(1), Duration(milliseconds(15)),
                                 Duration(seconds(25)), Duration(std::chrono::hours(24 * 190))}) {
      Deadline deadline;
      EXPECT_FALSE(deadline.due(at(start)));
      deadline.set(at(start), after);
      ASSERT_TRUE(deadline.armed());
      if (after > Duration(0)) {
        EXPECT_FALSE(deadline.due(at(start + after - Duration(1))));
      }
      EXPECT_TRUE(deadline.due(at(start + after + TimerWheel::kTick)));
      const Time when = Deadline::time_in(at(start), deadline.ticks_left(at(start)));
      EXPECT_GE(when, Time(start + after));
      EXPECT_LE(when, Time(start + after + TimerWheel::kTick));
      EXPECT_TRUE(deadline.due({.mono = when, .wall = 0}));
      deadline.clear();
      EXPECT_FALSE(deadline.armed());
    }
  }
}

TEST(Deadline, BeyondItsRangeIsCut) {
  Deadline deadline;
  deadline.set(at(seconds(1)), Duration::max());
  EXPECT_FALSE(deadline.due(at(std::chrono::hours(24 * 190))));
  EXPECT_GT(deadline.ticks_left(at(seconds(1))), 0);
}

}  // namespace
}  // namespace parley::session
