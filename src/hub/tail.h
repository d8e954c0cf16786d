// The newest publications of a channel, kept by every shard that follows it, so that cursors are
// served without asking home.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "hub/publication.h"

namespace parley::hub {

// What: a gapless run of publications behind `base`. Bounded in bytes; the oldest go first. Owner:
// a channel on one shard.
class Tail {
 public:
  // Forgets everything; the tail then stands at `base` and covers only that position.
  void reset(uint64_t base);
  // Appends the next publication. One that does not follow top() directly is a hole: the tail
  // restarts at its `prev`. Above `max_bytes` the oldest go, but never the newest. Returns false,
  // and changes nothing, when the publication is not new (offset <= top).
  bool append(PublicationPtr publication, size_t max_bytes);
  // Forgets the publications but stands at the same top: what an idle channel costs.
  void trim() { reset(top_); }
  // Forgets the older half of its bytes, of what lies up to `offset`; a single publication goes
  // whole.
  void trim_older_half(uint64_t offset = UINT64_MAX);
  // Forgets what lies up to `offset`.
  void trim_to(uint64_t offset);
  // Forgets all but the newest publication: the base of the next one's delta.
  void trim_to_newest();
  // An empty tail takes in the publication at its top, which history gave.
  void adopt_newest(PublicationPtr publication);

  // Positions from base() to top() are covered.
  uint64_t base() const { return kept_ ? kept_->base : top_; }
  uint64_t top() const { return top_; }
  bool covers(uint64_t position) const { return position >= base() && position <= top_; }
  // The publications behind a covered position, oldest first. Valid until the next change of the
  // tail.
  std::span<const PublicationPtr> after(uint64_t position) const;
  // Null: not kept here.
  const Publication* find(uint64_t offset) const;
  size_t bytes() const { return kept_ ? kept_->bytes : 0; }
  bool empty() const { return kept_ == nullptr; }
  bool has_several() const { return kept_ && kept_->entries.size() - kept_->first > 1; }

 private:
  struct Kept {
    std::vector<PublicationPtr>
        entries;  // those before `first` are already dropped; compacted now and then
    size_t first = 0;
    size_t bytes = 0;
    uint64_t base = 0;
  };
  const Publication& front() const { return *kept_->entries[kept_->first]; }
  void drop_front();

  uint64_t top_ = 0;
  std::unique_ptr<Kept> kept_;  // null: none, as in every idle channel
};

// The entries of `run` (ascending offsets) with offset > position.
std::span<const PublicationPtr> after_position(std::span<const PublicationPtr> run,
                                               uint64_t position);

}  // namespace parley::hub
