// What waits for an answer of the hub, by step id.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "hub/requester.h"

namespace parley::http_api {

// Slots with generations: a step id is never believed twice. A value, owned by the Requester that
// draws the ids. At most `kMaxSlots` wait at a time; the owner sees to that.
template <class T>
class PendingTable {
 public:
  static constexpr uint32_t kIndexBits = 20;
  static constexpr uint32_t kMaxSlots = 1u << kIndexBits;

  hub::StepId add(T value) {
    uint32_t index;
    if (free_.empty()) {
      index = static_cast<uint32_t>(slots_.size());
      CHECK(index < kMaxSlots);
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    slots_[index].value.emplace(std::move(value));
    return slots_[index].generation << kIndexBits | index;
  }

  // Nothing when that step is not waiting.
  std::optional<T> take(hub::StepId step) {
    const uint32_t index = step & (kMaxSlots - 1);
    if (index >= slots_.size()) return std::nullopt;
    Slot& slot = slots_[index];
    if (!slot.value || (slot.generation << kIndexBits | index) != step) return std::nullopt;
    std::optional<T> value = std::exchange(slot.value, std::nullopt);
    ++slot.generation;
    free_.push_back(index);
    return value;
  }

  // action(step, value) for each that waits.
  template <class Action>
  void for_each(Action action) const {
    for (uint32_t index = 0; index < slots_.size(); ++index)
      if (slots_[index].value)
        action(slots_[index].generation << kIndexBits | index, *slots_[index].value);
  }

  size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    std::optional<T> value;
    uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace parley::http_api
