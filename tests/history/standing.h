// Where a reader stands, step by step.
#pragma once

#include "tests/history/ledger.h"

namespace parley::history {

// A plain value; the rules let it go along a reader's steps and look at it before each.
struct Standing {
  enum class State : uint8_t { kNever, kLive, kAway, kOver };
  State state = State::kNever;
  bool positioned = true;
  bool placed = false;  // everything behind `position` is owed to it
  Id epoch = 0;
  uint64_t position = 0;
  Id tag = 0;
  uint64_t window = 0;
  int64_t since = 0;  // when it last subscribed

  void take(const Step& step);

 private:
  void subscribed(const Step& step);
};

}  // namespace parley::history
