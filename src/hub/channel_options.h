// The options of a channel, from its namespace, in hub words. Configuration fills them; the hub
// only reads them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/token_bucket.h"
#include "hub/publication.h"

namespace parley::hub {

// How safe a publication is. A publish is answered at the level asked for, never earlier.
enum class AckLevel : uint8_t { kAccepted, kStored, kReplicated, kDurable };

// What publications' data must be, whoever publishes. The default refuses empty data only.
enum class DataFormat : uint8_t { kNotEmpty, kJson, kJsonObject, kBinary };

// What happens to a reader that is too far behind.
enum class OverflowPolicy : uint8_t {
  kResume,      // it reads on from history, at its own pace, until its position leaves that
  kDropOldest,  // it goes on with the newest that the limits allow
  kLatest,      // it goes on with the newest publication of all, or of each key
  kBlock,       // publishers wait for it
};
// Which of the limits it crossed.
enum class OverflowCause : uint8_t { kBytes, kTime };

struct OverflowOptions {
  OverflowPolicy policy = OverflowPolicy::kResume;
  size_t max_bytes = 1 << 20;      // of publications that it has not had; at most `tail_bytes`
  Duration max_delay{0};           // since the oldest of them was published; 0: any
  Duration max_wait = seconds(1);  // kBlock: of a publish
  std::string key{};  // kLatest: the tag by which publications replace each other; "": all
};

struct ChannelOptions {
  uint32_t history_size = 0;  // publications kept; 0: no history
  seconds history_ttl{0};     // how long each is kept; 0: no history
  seconds history_meta_ttl{30 * 24 *
                           3600};  // how long an idle channel's epoch and top offset are remembered
  bool presence = false;
  bool join_leave = false;        // emit presence changes as publications of the presence stream
  bool positioned = false;        // subscribers are told epoch and offset, and holes are detected
  bool recoverable = false;       // ... and may resume from a position
  bool allow_positioned = false;  // ... for those who ask for it
  bool allow_recoverable = false;
  bool force_push_join_leave = false;  // presence changes go to all subscribers, asked or not
  bool delta_publish = false;          // every publication is published for delta
  bool allow_delta = false;            // subscribers may ask for deltas
  bool allow_tags_filter = false;      // ... for only what their filter matches
  bool compaction = false;             // ... for a number instead of the channel's name
  bool cache_recovery = false;         // to recover is to be given the newest publication
  bool auto_cache_recover = false;     // ... and every subscribe recovers
  std::array<bool, 3> kinds{true, true, true};  // content kinds accepted at publish, by ContentKind
  DataFormat data_format = DataFormat::kNotEmpty;
  AckLevel level = AckLevel::kAccepted;  // nothing is delivered or read above this level
  size_t tail_bytes = 1 << 20;           // what each shard keeps of a live channel for its readers
  OverflowOptions overflow;
  Rate publish_rate;  // of one channel, by all clients together; above: kRateLimited

  bool has_history() const { return history_size > 0 && history_ttl.count() > 0; }
  bool accepts(ContentKind kind) const { return kinds[static_cast<size_t>(kind)]; }
  // Data of the kind JSON are known to be JSON.
  bool accepts_data(ContentKind kind, ByteView data) const {
    switch (data_format) {
      case DataFormat::kNotEmpty:
        return !data.empty();
      case DataFormat::kJson:
        return kind == ContentKind::kJson && !data.empty();
      case DataFormat::kJsonObject:
        return kind == ContentKind::kJson &&
               data.substr(std::min(data.find_first_not_of(" \t\r\n"), data.size()))
                   .starts_with('{');
      case DataFormat::kBinary:
        break;
    }
    return true;
  }
};

// Shard: any (immutable). Finds the options of a channel by its name; nullptr: no namespace of that
// name is configured.
class ChannelRules {
 public:
  virtual ~ChannelRules() = default;
  virtual std::shared_ptr<const ChannelOptions> find(std::string_view channel) const = 0;
};

}  // namespace parley::hub
