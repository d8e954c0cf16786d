#include "base/timer_wheel.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace parley {
namespace {

constexpr size_t kNoLimit = SIZE_MAX;

Time at(int64_t ms) { return Time{milliseconds(1'000'000 + ms)}; }
Now now_at(int64_t ms) { return {at(ms), 0}; }

class TimerWheelTest : public ::testing::Test {
 protected:
  std::unique_ptr<CallbackTimer> timer(char name) {
    return std::make_unique<CallbackTimer>([this, name](const Now&) { fired += name; });
  }
  TimerWheel wheel{at(0)};
  std::string fired;
};

TEST_F(TimerWheelTest, FiresInOrderNeverEarly) {
  const auto a = timer('a'), b = timer('b'), c = timer('c');
  wheel.schedule(*c, at(500));
  wheel.schedule(*a, at(20));
  wheel.schedule(*b, at(100));
  wheel.advance(now_at(19), kNoLimit);
  EXPECT_EQ(fired, "");
  wheel.advance(now_at(20 + 16), kNoLimit);
  EXPECT_EQ(fired, "a");
  // Late: both in one call, in order.
  wheel.advance(now_at(10'000), kNoLimit);
  EXPECT_EQ(fired, "abc");
  EXPECT_FALSE(a->scheduled());
  EXPECT_FALSE(wheel.next_due().has_value());
}

TEST_F(TimerWheelTest, PastAndFarDeadlines) {
  const auto past = timer('p'), far = timer('f'), never = timer('n');
  wheel.schedule(*past, at(-5000));
  wheel.schedule(*far, at(600'000));  // several rounds of the wheel
  wheel.schedule(*never, Time::max());
  wheel.advance(now_at(16), kNoLimit);
  EXPECT_EQ(fired, "p");
  for (int64_t ms = 16; ms < 600'000; ms += 1000) wheel.advance(now_at(ms), kNoLimit);
  EXPECT_EQ(fired, "p");
  wheel.advance(now_at(600'016), kNoLimit);
  EXPECT_EQ(fired, "pf");
  EXPECT_TRUE(never->scheduled());
}

TEST_F(TimerWheelTest, CancelRescheduleAndDestroy) {
  const auto a = timer('a'), b = timer('b');
  auto c = timer('c');
  wheel.schedule(*a, at(50));
  wheel.schedule(*b, at(50));
  wheel.schedule(*c, at(50));
  TimerWheel::cancel(*a);
  TimerWheel::cancel(*a);
  wheel.schedule(*b, at(200));
  c.reset();
  wheel.advance(now_at(150), kNoLimit);
  EXPECT_EQ(fired, "");
  wheel.advance(now_at(220), kNoLimit);
  EXPECT_EQ(fired, "b");
}

TEST_F(TimerWheelTest, CallbackMayTouchAnyNode) {
  std::unique_ptr<CallbackTimer> self, victim;
  const auto other = timer('o');
  int count = 0;
  CallbackTimer periodic([&](const Now& now) {
    if (++count < 3) wheel.schedule(periodic, now.mono);  // again at once: the next tick
  });
  self = std::make_unique<CallbackTimer>([&](const Now&) {
    TimerWheel::cancel(*other);  // due in the same tick
    victim.reset();
    fired += 's';
    self.reset();  // last: the callback's captures die with it
  });
  victim = timer('v');
  wheel.schedule(periodic, at(50));
  wheel.schedule(*self, at(50));
  wheel.schedule(*other, at(50));
  wheel.schedule(*victim, at(50));
  wheel.advance(now_at(100), kNoLimit);
  EXPECT_EQ(fired, "s");
  // A timer that re-arms itself for "now" cannot hold the turn.
  EXPECT_LE(count, 2);
  wheel.advance(now_at(150), kNoLimit);
  wheel.advance(now_at(200), kNoLimit);
  EXPECT_EQ(count, 3);
}

TEST_F(TimerWheelTest, BudgetGoesOnNextTime) {
  std::vector<std::unique_ptr<CallbackTimer>> timers;
  for (int i = 0; i < 10; ++i) {
    timers.push_back(timer(static_cast<char>('0' + i)));
    wheel.schedule(*timers.back(), at(40));
  }
  EXPECT_EQ(wheel.advance(now_at(100), 4), 4u);
  EXPECT_EQ(fired, "0123");
  EXPECT_EQ(wheel.next_due(), Time{});
  EXPECT_EQ(wheel.advance(now_at(100), 100), 6u);
  EXPECT_EQ(fired, "0123456789");
}

TEST_F(TimerWheelTest, NextDueIsNeverLate) {
  const auto a = timer('a'), b = timer('b');
  wheel.schedule(*a, at(30'000));
  EXPECT_GE(*wheel.next_due(), at(30'000));
  EXPECT_LE(*wheel.next_due(), at(30'016));
  wheel.advance(now_at(20'000), kNoLimit);
  wheel.schedule(*b, at(80'000));  // its slot lies before a's in the table
  EXPECT_LE(*wheel.next_due(), at(30'016));
  wheel.advance(now_at(30'016), kNoLimit);
  EXPECT_EQ(fired, "a");
  EXPECT_LE(*wheel.next_due(), at(80'016));
}

// Against a model: each timer fires once, within one tick plus step of its deadline.
TEST(TimerWheelModel, RandomDeadlines) {
  std::mt19937 random(7);
  TimerWheel wheel(at(0));
  int64_t ms = 0;
  size_t alive = 0;
  struct Probe final : TimerNode {
    int64_t deadline = 0;
    int64_t* ms = nullptr;
    size_t* alive = nullptr;
    void on_timer(const Now&) override {
      EXPECT_LE(deadline, *ms);
      EXPECT_LE(*ms, deadline + 16 + 50);
      --*alive;
    }
  };
  std::vector<Probe> probes(20'000);
  for (Probe& probe : probes) {
    probe.deadline = static_cast<int64_t>(random() % 200'000);
    probe.ms = &ms;
    probe.alive = &alive;
    wheel.schedule(probe, at(probe.deadline));
    ++alive;
  }
  for (; ms <= 200'100; ms += 1 + static_cast<int64_t>(random() % 50)) {
    const auto due = wheel.next_due();
    const size_t before = alive;
    wheel.advance(now_at(ms), kNoLimit);
    if (before != alive) {
      EXPECT_LE(*due, at(ms));
    }
  }
  EXPECT_EQ(alive, 0u);
}

// A million in one slot: the cost of a turn is bounded by the budget, not by the slot.
TEST(TimerWheelModel, MillionTimers) {
  struct Quiet final : TimerNode {
    void on_timer(const Now&) override {}
  };
  TimerWheel wheel(at(0));
  std::vector<Quiet> timers(1'000'000);
  for (Quiet& timer : timers) wheel.schedule(timer, at(25'000));
  EXPECT_EQ(wheel.advance(now_at(24'000), 1024), 0u);
  size_t calls = 0;
  while (wheel.next_due()) {
    EXPECT_LE(wheel.advance(now_at(30'000), 1024), 1024u);
    ++calls;
  }
  EXPECT_EQ(calls, (timers.size() + 1023) / 1024);
}

}  // namespace
}  // namespace parley
