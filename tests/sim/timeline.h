// Virtual time: what happens when, and the two clocks that everything is told.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace parley::sim {

// What: the queue of everything that will happen. Two things at the same moment happen in the order
// in which they were asked for. Owner: Simulation.
class Timeline {
 public:
  using Action = std::move_only_function<void()>;

  const Now& now() const { return now_; }
  void at(Time time, Action action) {
    queue_.push_back({std::max(time, now_.mono), next_++, std::move(action)});
    std::ranges::push_heap(queue_, later);
  }
  void after(Duration delay, Action action) { at(now_.mono + delay, std::move(action)); }

  // Does what comes next, if that is due by `end`; else moves on to `end`.
  bool run_next(Time end) {
    if (queue_.empty() || queue_.front().time > end) {
      advance(end);
      return false;
    }
    std::ranges::pop_heap(queue_, later);
    Event event = std::move(queue_.back());
    queue_.pop_back();
    advance(event.time);
    event.action();
    return true;
  }

  // The wall clock jumps; the steady one does not notice.
  void step_wall_clock(milliseconds by) { now_.wall += by.count(); }

 private:
  struct Event {
    Time time;
    uint64_t order;
    Action action;
  };
  static bool later(const Event& a, const Event& b) {
    return std::pair(a.time, a.order) > std::pair(b.time, b.order);
  }
  // Whole milliseconds of the steady clock pass on the wall too, whatever that shows.
  void advance(Time to) {
    using std::chrono::floor;
    now_.wall += (floor<milliseconds>(to) - floor<milliseconds>(now_.mono)).count();
    now_.mono = to;
  }

  std::vector<Event> queue_;
  uint64_t next_ = 0;
  Now now_{.mono = Time(std::chrono::hours(1)), .wall = 1'700'000'000'000};
};

}  // namespace parley::sim
