// Looks at the memory of the process once a second, makes the shards shed, and gives back what a
// crowd leaves behind.
#pragma once

#include <cstddef>
#include <functional>

#include "base/log.h"
#include "base/timer_wheel.h"
#include "server/memory_ladder.h"

namespace parley::server {

// Connections: how many are there, and how many ever came. A crowd may come and go between two
// looks.
struct Crowd {
  size_t there = 0;
  size_t came = 0;
};

// What: a meter, a ladder, and whoever carries its steps out. Owner: the server; used on the shard
// whose timers it is given. Failure: without a limit nobody is shed.
class MemoryWatch {
 public:
  using Meter = std::function<size_t()>;
  using Act = std::function<void(MemoryStep)>;

  using Trim = std::function<void()>;
  using Census = std::function<Crowd()>;

  // `act` is called at every change of the step, and each second on the last one. `trim` is called
  // where clients are refused: what was freed must not lock the doors for good; and where most of
  // a crowd has gone. As it takes milliseconds, at most every ten seconds, and after a crowd every
  // minute unless the process has grown again.
  MemoryWatch(
      size_t limit, Meter meter, Act act, Trim trim = [] {}, Census crowd = [] { return Crowd{}; })
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
  size_t trim(Time now);

  size_t limit_;
  MemoryLadder ladder_;
  Meter meter_;
  Act act_;
  Trim trim_;
  Census crowd_;
  Crowd before_;     // at the last look
  size_t most_ = 0;  // that can have been there at a time since memory was given back
  size_t kept_ = 0;  // the least that was in use after that
  Time trimmed_{};
  size_t shown_ = 0;  // by the gauge
  log::Limited reminders_{60'000};
  TimerWheel* timers_ = nullptr;
  CallbackTimer timer_{[this](const Now& now) { look(now.mono); }};
};

}  // namespace parley::server
