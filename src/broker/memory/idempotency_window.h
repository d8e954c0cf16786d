// Remembers recent idempotency keys with the answer that each got.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "hub/broker.h"

namespace parley::broker::memory {

struct IdempotencyLimits {
  Duration window = std::chrono::minutes(5);
  size_t max_entries = 1 << 17;
  size_t max_bytes = 32 << 20;
};

// Names what a key is unique within: the same key of another channel or principal is another one.
std::string idempotency_scope(std::string_view channel, std::string_view principal,
                              std::string_view key);
// Equal for publications with equal content; what the sequencer sets does not count.
uint64_t content_digest(const hub::Publication& publication);

// What: key -> first answer, for a fixed time after the first use; bounded, the oldest go first.
// Owner: MemoryBroker. Shard: home. Failure: none; a key that had to go early is no longer known.
class IdempotencyWindow {
 public:
  struct Entry : ListNode<Entry> {
    uint64_t digest = 0;
    hub::Published answer;
    Time expires;
    std::string_view scope;
  };

  explicit IdempotencyWindow(IdempotencyLimits limits) : limits_(limits) {}

  // nullptr when the scope was not seen within the window. Valid until the next call.
  const Entry* find(std::string_view scope, Time now) const;
  // The scope must not be known.
  void remember(std::string scope, uint64_t digest, const hub::Published& answer, Time now);
  // Drops what is old, at most `max_entries` of it.
  void expire(Time now, size_t max_entries);

  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  void drop(Entry& entry);

  IdempotencyLimits limits_;
  size_t bytes_ = 0;
  std::unordered_map<std::string, Entry, SeededHash, std::equal_to<>> entries_;
  IntrusiveList<Entry, Entry> by_age_;
};

}  // namespace parley::broker::memory
