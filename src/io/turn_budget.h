// How much one part of a turn may do before the next part has its say.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"

namespace parley::io {

// The shard's clock. Only io reads it.
inline Now read_clock() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(), std::chrono::duration_cast<milliseconds>(wall).count()};
}

// Bounded in units of work (bytes, sockets) and in time. Reads the clock only at every 8th
// question.
class TurnBudget {
 public:
  TurnBudget(size_t units, Duration time)
      : units_(units), deadline_(std::chrono::steady_clock::now() + time) {}

  void spend(size_t units) { units_ = units < units_ ? units_ - units : 0; }
  bool exhausted() {
    if (units_ == 0) return true;
    if (++questions_ % 8 == 0 && std::chrono::steady_clock::now() >= deadline_) units_ = 0;
    return units_ == 0;
  }

 private:
  size_t units_;
  size_t questions_ = 0;
  Time deadline_;
};

}  // namespace parley::io
