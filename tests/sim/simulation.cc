#include "tests/sim/simulation.h"

#include <cstdlib>

namespace parley::sim {

namespace {
// From the last fault on. It holds the slowest client's patience, and the ten seconds after which a
// shard is told the top of a channel whose last publication it missed.
constexpr int64_t kCatchUpMicros = 45'000'000;
}  // namespace

Simulation::Simulation(uint64_t seed)
    : random(seed * 0x9e3779b97f4a7c15ull + 1),
      telling_(std::getenv("SIM_LOG") != nullptr),
      history_({.catch_up_us = kCatchUpMicros}) {}

void Simulation::tell(history::Event event) {
  event.at = now().mono.time_since_epoch() / std::chrono::microseconds(1);
  history_.add(event);
}

void Simulation::judge() {
  for (const history::Violation& violation : history_.finish())
    fail(fmt::format("rule {} of the history: {}", violation.rule, violation.text));
}

}  // namespace parley::sim
