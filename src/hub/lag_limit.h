// Which readers of a channel are too far behind, where its namespace would rather skip than wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "hub/channel_options.h"
#include "hub/newest_per_key.h"
#include "hub/publish_gate.h"
#include "hub/tail.h"

namespace parley::hub {

class Subscription;

// Who was too far behind when a publication last came, where publishers wait for that, and what the
// channel's home was told of it.
struct LagWatch {
  std::vector<Subscription*> laggards;
  Backlog told;
  Time told_at{};
  uint64_t line = 0;    // at the last sweep
  uint64_t least = 0;   // no live reader's position is before it
  bool listed = false;  // it is looked at in each turn
};

// What: two lines through the channel's offsets, one by bytes and one by time. A reader whose
// position is before one of them is too far behind: one comparison for it, whatever the number of
// readers. The lines only move forward. Owner: a LocalChannel, only where the policy is not to
// resume. Shard: its own.
class LagLimit {
 public:
  // `kept_bytes`: of the newest publications of keys, where the policy is to conflate per key.
  LagLimit(const OverflowOptions& options, size_t kept_bytes);

  // Before the publication `next` is appended to the tail: moves the line so that no more than
  // the limit stays behind it, the new one not counted out however large.
  void make_room(const Tail& tail, const PublicationPtr& next);
  // About once a second: what was the top that long ago is the line now.
  void on_sweep(uint64_t top, Time now);
  // Offsets mean something else from here on.
  void reset(uint64_t top);

  bool exceeded_by(uint64_t position) const { return position < line(); }
  // Where a reader that is too far behind goes on when the oldest are dropped.
  uint64_t line() const { return by_bytes_ > by_time_ ? by_bytes_ : by_time_; }
  OverflowCause cause() const {
    return by_bytes_ > by_time_ ? OverflowCause::kBytes : OverflowCause::kTime;
  }
  OverflowPolicy policy() const { return options_.policy; }
  // Null: the policy does not ask for keys.
  NewestPerKey* keys() const { return keys_.get(); }
  // Null: publishers do not wait.
  LagWatch* watch() const { return watch_.get(); }

 private:
  void move_line(const Tail& tail);

  struct Mark {
    uint64_t top;
    Time at;
  };

  OverflowOptions options_;
  uint64_t counted_from_ = 0;  // `counted_` is the cost of the publications behind this offset
  size_t counted_ = 0;
  uint64_t by_bytes_ = 0;
  uint64_t by_time_ = 0;
  std::unique_ptr<NewestPerKey> keys_;
  std::unique_ptr<LagWatch> watch_;
  std::vector<Mark> marks_;  // tops at sweeps that are not old enough yet, oldest first
};

}  // namespace parley::hub
