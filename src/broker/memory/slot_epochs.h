// The epochs of channels that have no stored stream, one per slot.
#pragma once

#include <array>
#include <cstdint>

#include "base/random.h"
#include "hub/channel_key.h"
#include "hub/epoch.h"

namespace parley::broker::memory {

// What: the epoch under which a channel of a slot starts its life. It moves on whenever a stream of
// the slot is forgotten, so that no dead channel has to be remembered: a position of an old life
// never matches a new one; the price is a resync of the slot's other channels that are still empty.
// Owner: StreamTable. Shard: home. Failure: none. Source: core rules, section 7.
class SlotEpochs {
 public:
  // `ids` must outlive this.
  explicit SlotEpochs(IdSource& ids) : ids_(ids) {}

  hub::Epoch current(hub::Slot slot) {
    State& state = slots_[slot];
    while (state.boot == 0) state.boot = ids_.next_u64();
    return {state.boot, state.counter, 0};
  }

  void advance(hub::Slot slot) {
    State& state = slots_[slot];
    // A new boot id instead of a counter that comes round again.
    if (++state.counter == 0) state.boot = 0;
  }

 private:
  struct State {
    uint64_t boot = 0;  // 0: not drawn yet
    uint32_t counter = 0;
  };
  IdSource& ids_;
  std::array<State, hub::kSlots> slots_{};
};

}  // namespace parley::broker::memory
