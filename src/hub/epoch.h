// Where a reader stands in a channel, and which life of the channel that position belongs to.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::hub {

// A channel's epoch. `boot` and `counter` name the incarnation: history was lost or reset whenever
// they change; unique without remembering dead channels. `generation` counts restarts of the
// sequencer within one incarnation: a reader of an older generation may resume only up to that
// generation's end. Opaque on the wire.
struct Epoch {
  uint64_t boot = 0;  // 0: unknown. Random, drawn when a broker starts with an empty slot
  uint32_t counter = 0;
  uint32_t generation = 0;

  bool known() const { return boot != 0; }
  bool same_incarnation(const Epoch& other) const {
    return boot == other.boot && counter == other.counter;
  }
  auto operator<=>(const Epoch&) const = default;
};

// Letters, digits and '-' only, never empty for a known epoch; "" for an unknown one.
std::string to_string(const Epoch& epoch);
// "" gives an unknown epoch; a text that to_string() never made gives nullopt, which matches no
// stream.
std::optional<Epoch> parse_epoch(std::string_view text);

struct StreamPosition {
  Epoch epoch;
  uint64_t offset = 0;
  auto operator<=>(const StreamPosition&) const = default;
};

// Why a reader misses what it misses. Each is counted and told to the client in its protocol's
// words.
enum class GapReason : uint8_t {
  kRetention,     // older than what history keeps
  kEpochChanged,  // history was lost or reset
  kRolledBack,    // a restart lost what was not yet durable
  kOverflow,      // the reader was too slow for what the channel keeps for slow readers
  kConflated,     // ... and goes on with the newest state: only states in between are missing
  kUnsupported,   // the reader's protocol cannot carry this content kind
};
inline constexpr int kGapReasons = 6;
std::string_view to_string(GapReason reason);

// A named hole: offsets from..to (inclusive) will not be delivered. Nothing is ever lost silently.
struct Gap {
  uint64_t from = 0;
  uint64_t to = 0;
  GapReason reason = GapReason::kRetention;
  bool operator==(const Gap&) const = default;
};

}  // namespace parley::hub
