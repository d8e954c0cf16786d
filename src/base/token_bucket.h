// How often something may happen: so many times a second on average, so many at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace parley {

struct Rate {
  uint32_t per_second = 0;  // 0: any
  uint32_t burst = 0;       // at once; 0: what a second brings

  bool limited() const { return per_second > 0; }
  Duration interval() const { return Duration(seconds(1)) / per_second; }
  uint32_t at_once() const { return burst > 0 ? burst : per_second; }
};

// What: a bucket of tokens in eight bytes: only when it will be full again is kept (the generic
// cell rate algorithm of ITU-T I.371). A new one is full. The rate is the caller's, the same each
// time, and limited.
class TokenBucket {
 public:
  // False: there is none, and nothing was taken.
  bool take(const Rate& rate, Time now) {
    if (wait(rate, now) > Duration::zero()) return false;
    full_at_ = std::max(full_at_, now) + rate.interval();
    return true;
  }
  // Until there is a token.
  Duration wait(const Rate& rate, Time now) const {
    const Time due = full_at_ - rate.interval() * (rate.at_once() - 1);
    return std::max(due - now, Duration::zero());
  }
  // The later, the emptier.
  Time full_at() const { return full_at_; }

 private:
  Time full_at_{};
};

}  // namespace parley
