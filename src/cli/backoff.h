// How long to wait before reconnecting.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace parley::cli {

// Doubles from the delay that the server last asked for, up to half a minute; each wait is drawn
// between half of that and all of it, so that clients do not come back together.
class Backoff {
 public:
  void set_first(Duration first) {
    first_ = std::clamp<Duration>(first, milliseconds(10), kLongest);
  }
  void on_success() { failures_ = 0; }

  // `random` is any number.
  Duration next(uint64_t random) {
    const Duration whole = std::min<Duration>(first_ * (int64_t{1} << failures_), kLongest);
    failures_ = std::min(failures_ + 1, 10);
    const Duration half = whole / 2;
    return half + Duration(static_cast<int64_t>(random % static_cast<uint64_t>(half.count() + 1)));
  }

 private:
  static constexpr Duration kLongest = seconds(30);
  Duration first_ = seconds(1);
  int failures_ = 0;
};

}  // namespace parley::cli
