// Judges a history: what clients were told against what must never happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/history/event.h"

namespace parley::history {

struct Violation {
  char rule;         // 'a' to 'j', see README.md
  std::string text;  // in words, with client, channel and offsets
  size_t count = 1;  // of how many it speaks
};

struct CheckerOptions {
  int64_t catch_up_us = 10'000'000;  // how long after kHealed a reader may take to have everything
  size_t violations_per_rule = 20;   // further ones are counted, not told
};

// What: collects the events of one run, in the order in which they happened, and judges them at the
// end by ten rules. Owner: a test. Memory grows with the events. Knows nothing of the server: the
// same for simulated and for real runs.
class Checker {
 public:
  explicit Checker(CheckerOptions options = {});
  ~Checker();
  Checker(Checker&&) noexcept;
  Checker& operator=(Checker&&) noexcept;

  void add(const Event& event);
  size_t events() const;
  // Everything that is wrong; empty: nothing is. Once, after the last event.
  std::vector<Violation> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::history
