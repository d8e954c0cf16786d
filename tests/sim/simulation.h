// What all parts of one simulated world share: time, chance, the trace and the first failure.
#pragma once

#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "tests/history/checker.h"
#include "tests/sim/sim_random.h"
#include "tests/sim/timeline.h"

namespace parley::sim {

// What: owned by a world, borrowed by everything in it. With SIM_LOG=1 in the environment it tells
// what happens, line by line.
class Simulation {
 public:
  explicit Simulation(uint64_t seed);

  Timeline time;
  Random random;
  Trace trace;

  const Now& now() const { return time.now(); }
  // A moment between the two.
  Duration between(Duration from, Duration to) {
    if (to <= from) return from;
    return from + Duration(random.below(static_cast<uint64_t>((to - from).count())));
  }

  // The first one counts: what follows may be its consequence.
  void fail(const std::string& what) {
    if (!failure_.empty()) return;
    failure_ = fmt::format("at {:.3f} s: {}", seconds_passed(), what);
    note("FAILURE {}", failure_);
  }
  const std::string& failure() const { return failure_; }

  // For the history of the run, which is judged at its end.
  void tell(history::Event event);
  void judge();

  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (!telling_) return;
    fmt::print("{:9.4f} {}\n", seconds_passed(), fmt::format(format, std::forward<Args>(args)...));
  }
  double seconds_passed() const {
    return std::chrono::duration<double>(time.now().mono.time_since_epoch()).count() - 3600;
  }

 private:
  bool telling_;
  history::Checker history_;
  std::string failure_;
};

}  // namespace parley::sim
