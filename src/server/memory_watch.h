// Looks at the memory of the process once a second, makes the shards shed, and gives back what a
// crowd leaves behind.
#pragma once

#include <cstddef>
#include <functional>

#include "base/log.h"
#include "base/timer_wheel.h"
#include "server/memory_ladder.h"

namespace parley::server {

// What: a meter, a ladder, and whoever carries its steps out. Owner: the server; used on the shard
// whose timers it is given. Failure: without a limit nobody is shed.
class MemoryWatch {
 public:
  using Meter = std::function<size_t()>;
  using Act = std::function<void(MemoryStep)>;

  using Trim = std::function<void()>;

  // `act` is called at every change of the step, and each second on the last one. `trim` is called
  // where clients are refused: what was freed must not lock the doors for good; and where most of
  // many have gone, by `crowd`, which says how many there are. At most every ten seconds, as it
  // takes milliseconds.
  MemoryWatch(
      size_t limit, Meter meter, Act act, Trim trim = [] {}, Meter crowd = [] { return size_t{0}; })
      : limit_(limit),
        ladder_(limit),
        meter_(std::move(meter)),
        act_(std::move(act)),
        trim_(std::move(trim)),
        crowd_(std::move(crowd)) {}
  void start(TimerWheel& timers, Time now);
  void look(Time now);

 private:
  bool most_have_gone();

  size_t limit_;
  MemoryLadder ladder_;
  Meter meter_;
  Act act_;
  Trim trim_;
  Meter crowd_;
  size_t most_ = 0;  // of the crowd, since memory was given back
  Time next_trim_{};
  size_t shown_ = 0;  // by the gauge
  log::Limited reminders_{60'000};
  TimerWheel* timers_ = nullptr;
  CallbackTimer timer_{[this](const Now& now) { look(now.mono); }};
};

}  // namespace parley::server
