// A point in time in four bytes: a session has several, and there may be a million sessions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/timer_wheel.h"

namespace parley::session {

// What: the low bits of a tick of the timer wheel, rounded up; valid within 198 days of now. Never
// due early, and at most a tick late.
class Deadline {
 public:
  bool armed() const { return tick_ != 0; }
  void clear() { tick_ = 0; }
  void set(const Now& now, Duration after) {
    const Duration most = TimerWheel::kTick * (int64_t{1} << 30);
    const Duration at = now.mono.time_since_epoch() + std::clamp(after, Duration(0), most);
    tick_ = static_cast<uint32_t>((at + TimerWheel::kTick - Duration(1)) / TimerWheel::kTick);
    if (tick_ == 0) tick_ = 1;
  }
  bool due(const Now& now) const { return armed() && ticks_left(now) <= 0; }
  // How far ahead of now, in whole ticks.
  int32_t ticks_left(const Now& now) const {
    return static_cast<int32_t>(tick_ - static_cast<uint32_t>(ticks(now)));
  }
  static Time time_in(const Now& now, int32_t ticks_left) {
    return Time(TimerWheel::kTick * std::max<int64_t>(ticks(now) + ticks_left, 0));
  }

 private:
  static int64_t ticks(const Now& now) { return now.mono.time_since_epoch() / TimerWheel::kTick; }
  uint32_t tick_ = 0;
};

}  // namespace parley::session
