// Timers without a heap: intrusive nodes in a wheel of time slots.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/intrusive_list.h"
#include "base/time.h"

namespace parley::io {

// Something that happens later. 32 bytes; owned by whoever embeds it; cancels itself when
// destroyed. on_timer() may schedule, cancel or destroy any node, its own included.
class TimerNode : public ListNode<TimerNode> {
 public:
  virtual ~TimerNode() = default;
  bool scheduled() const { return linked(); }

 private:
  friend class TimerWheel;
  virtual void on_timer(const Now& now) = 0;
  uint64_t tick_ = 0;
};

// A timer that calls a function, where memory does not matter. A callback that destroys its own
// timer does so last, since its captures die too.
class CallbackTimer final : public TimerNode {
 public:
  explicit CallbackTimer(std::move_only_function<void(const Now&)> callback)
      : callback_(std::move(callback)) {}

 private:
  void on_timer(const Now& now) override { callback_(now); }
  std::move_only_function<void(const Now&)> callback_;
};

// A hashed wheel (Varghese, Lauck 1987, scheme 6): slot = tick modulo the number of slots. A node
// whose round is not yet here is looked at once a round and put back, so there is no cascade that
// could move a million nodes in one turn.
// Owner: a Shard; used on its shard only. Schedule and cancel are O(1) and never fail. A timer
// never fires early, and at most one tick plus the turn late, while the budget suffices.
class TimerWheel {
 public:
  static constexpr Duration kTick = milliseconds(16);
  static constexpr size_t kSlots = 4096;  // one round is 65 s

  explicit TimerWheel(Time start);

  // (Re-)arms the node. A deadline in the past fires at the next tick.
  void schedule(TimerNode& node, Time deadline);
  static void cancel(TimerNode& node) { node.unlink(); }

  // Fires what is due, in order of ticks; looks at no more than `budget` nodes and goes on next
  // time. Returns how many nodes it looked at.
  size_t advance(const Now& now, size_t budget);

  // When advance() has to be called next; none when nothing is scheduled. May be early, never late.
  std::optional<Time> next_due() const;

 private:
  static uint64_t tick_after(Time time);
  void place(TimerNode& node);
  // The first tick from next_tick_ on whose slot may hold a node.
  std::optional<uint64_t> next_occupied() const;

  using List = IntrusiveList<TimerNode, TimerNode>;
  std::unique_ptr<std::array<List, kSlots>> slots_;
  std::array<uint64_t, kSlots / 64> occupied_{};  // a bit may outlive a cancelled node
  List due_;                                      // the slot of due_tick_, being worked off
  uint64_t due_tick_ = 0;
  uint64_t next_tick_;
};

}  // namespace parley::io
