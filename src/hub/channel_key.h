// How channels are named, hashed and placed on shards.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "base/affinity.h"
#include "base/hash.h"

namespace parley::hub {

// Every name has two streams: its messages, and beside them the ephemeral keyed stream of its
// presence changes.
enum class Aspect : uint8_t { kMessages, kPresence };

struct ChannelKeyView {
  std::string_view name;
  Aspect aspect = Aspect::kMessages;
  bool operator==(const ChannelKeyView&) const = default;
};

struct ChannelKey {
  std::string name;
  Aspect aspect = Aspect::kMessages;
  // As a string to its view. NOLINTNEXTLINE(google-explicit-constructor)
  operator ChannelKeyView() const { return {name, aspect}; }
  bool operator==(const ChannelKey&) const = default;
};

struct ChannelKeyHash {
  using is_transparent = void;
  size_t operator()(ChannelKeyView key) const {
    return SeededHash{}(key.name) + static_cast<size_t>(key.aspect);
  }
};
struct ChannelKeyEqual {
  using is_transparent = void;
  bool operator()(ChannelKeyView a, ChannelKeyView b) const { return a == b; }
};

// channel -> slot -> shard. Stored data is keyed by slot, never by shard, so that 8 shards can
// become 12.
inline constexpr size_t kSlots = 1024;
using Slot = uint16_t;

inline Slot slot_of(std::string_view name) { return static_cast<Slot>(stable_hash(name) % kSlots); }

// The table slot -> home shard of one node. Immutable after start; all shards read it.
class SlotTable {
 public:
  explicit SlotTable(ShardId shards) : shards_(shards) {
    for (size_t i = 0; i < kSlots; ++i) home_[i] = static_cast<ShardId>(i % shards);
  }
  ShardId shards() const { return shards_; }
  ShardId home(std::string_view name) const { return shards_ == 1 ? 0 : home_[slot_of(name)]; }

 private:
  ShardId shards_;
  std::array<ShardId, kSlots> home_{};
};

}  // namespace parley::hub
