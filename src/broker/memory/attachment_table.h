// Which channels are attached, under ids that never come back: a queued event names its attachment,
// and finds nothing once that one was detached or replaced.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "hub/broker.h"

namespace parley::broker::memory {

struct AttachmentId {
  uint32_t index = 0;
  uint32_t generation = 0;  // 0: no attachment
  bool exists() const { return generation != 0; }
  bool operator==(const AttachmentId&) const = default;
};

struct Attachment {
  hub::ChannelKey channel;
  hub::FeedId feed = 0;
};

// What: a slab of attachments. Owner: MemoryBroker. Shard: home. Failure: none. References stay
// valid until recycle(), so a callback may detach the very channel whose event it is handling.
class AttachmentTable {
 public:
  AttachmentId add(const hub::ChannelKey& channel, hub::FeedId feed) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(entries_.size()));
      entries_.emplace_back();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    Entry& entry = entries_[index];
    entry.attachment = {channel, feed};
    return {index, entry.generation};
  }

  void remove(AttachmentId id) {
    Entry& entry = entries_[id.index];
    CHECK(entry.generation == id.generation);
    if (++entry.generation == 0) entry.generation = 1;
    retired_.push_back(id.index);
  }

  // nullptr when it was removed.
  const Attachment* find(AttachmentId id) const {
    const Entry& entry = entries_[id.index];
    return entry.generation == id.generation ? &entry.attachment : nullptr;
  }

  // Lets removed entries be used again. Only while no reference to one is held.
  void recycle() {
    free_.insert(free_.end(), retired_.begin(), retired_.end());
    retired_.clear();
  }

 private:
  struct Entry {
    Attachment attachment;
    uint32_t generation = 1;
  };
  std::deque<Entry> entries_;  // a deque, because its elements never move
  std::vector<uint32_t> free_, retired_;
};

}  // namespace parley::broker::memory
