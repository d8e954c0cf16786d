#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace parley::io {

namespace {
uint64_t tick_before(Time time) {
  return static_cast<uint64_t>(time.time_since_epoch() / TimerWheel::kTick);
}
}  // namespace

TimerWheel::TimerWheel(Time start)
    : slots_(std::make_unique<std::array<List, kSlots>>()), next_tick_(tick_before(start)) {}

uint64_t TimerWheel::tick_after(Time time) {
  const Duration since = std::max(time.time_since_epoch(), Duration::zero());
  // Not (since + kTick - 1) / kTick: that overflows for Time::max().
  return static_cast<uint64_t>(since / kTick) + (since % kTick != Duration::zero() ? 1 : 0);
}

void TimerWheel::schedule(TimerNode& node, Time deadline) {
  node.unlink();
  node.tick_ = std::max(tick_after(deadline), next_tick_);
  place(node);
}

void TimerWheel::place(TimerNode& node) {
  const size_t slot = node.tick_ % kSlots;
  (*slots_)[slot].push_back(node);
  occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
}

size_t TimerWheel::advance(const Now& now, size_t budget) {
  const uint64_t now_tick = tick_before(now.mono);
  size_t visited = 0;
  while (true) {
    while (!due_.empty()) {
      if (visited == budget) return visited;
      ++visited;
      TimerNode& node = due_.pop_front();
      if (node.tick_ > due_tick_) {
        place(node);
      } else {
        node.on_timer(now);
      }
    }
    const std::optional<uint64_t> tick = next_occupied();
    if (!tick || *tick > now_tick) {
      next_tick_ = std::max(next_tick_, now_tick + 1);
      return visited;
    }
    due_tick_ = *tick;
    next_tick_ = *tick + 1;
    const size_t slot = *tick % kSlots;
    occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    due_.append((*slots_)[slot]);
  }
}

std::optional<uint64_t> TimerWheel::next_occupied() const {
  const size_t first = next_tick_ % kSlots;
  for (size_t i = 0; i <= occupied_.size(); ++i) {
    const size_t word = (first / 64 + i) % occupied_.size();
    uint64_t bits = occupied_[word];
    const uint64_t from_first = ~uint64_t{0} << (first % 64);
    if (i == 0) bits &= from_first;
    if (i == occupied_.size()) bits &= ~from_first;
    if (bits == 0) continue;
    const size_t slot = word * 64 + static_cast<size_t>(std::countr_zero(bits));
    return next_tick_ + (slot + kSlots - first) % kSlots;
  }
  return std::nullopt;
}

std::optional<Time> TimerWheel::next_due() const {
  if (!due_.empty()) return Time{};
  const std::optional<uint64_t> tick = next_occupied();
  if (!tick) return std::nullopt;
  return Time{kTick * static_cast<int64_t>(*tick)};
}

}  // namespace parley::io
