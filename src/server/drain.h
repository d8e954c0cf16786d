// How clients are sent away when the server stops: evenly over a window.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/time.h"

namespace parley::server {

// What: says how many of a shard's sessions are to be told by now. A value; between turns it knows
// nothing. Few sessions make a short window: they are no herd.
class Drain {
 public:
  static constexpr size_t kNoHerd = 200;  // a second

  Drain(size_t sessions, Duration window, Time start)
      : sessions_(sessions),
        window_(std::min(window, Duration(seconds(1)) * static_cast<int64_t>(sessions) /
                                     static_cast<int64_t>(kNoHerd))),
        start_(start) {}

  // How many more than at the last call.
  size_t next(Time now) {
    const size_t due = over(now) ? sessions_
                                 : static_cast<size_t>(static_cast<double>(sessions_) *
                                                       ((now - start_) / (window_ * 1.0)));
    return due - std::exchange(told_, std::max(due, told_));
  }
  bool over(Time now) const { return now - start_ >= window_; }

 private:
  size_t sessions_;
  Duration window_;
  Time start_;
  size_t told_ = 0;
};

}  // namespace parley::server
