// The newest publication of each key: what a slow reader of a channel that conflates per key is
// owed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "hub/publication.h"

namespace parley::hub {

// What: of the publications behind `floor`, those that no later one of the same key replaces, in
// the order of their offsets. The key of a publication is its tag of a given name, "" without.
// Publications stay here when they leave the channel's tail, within a bound of bytes of their own;
// beyond it the oldest go, and the floor rises. Owner: the LagLimit of a channel on one shard.
// Shard: its own. Why so: docs/adr/0020-overflow-per-key-and-admission.md.
class NewestPerKey {
 public:
  NewestPerKey(std::string tag, size_t max_bytes) : tag_(std::move(tag)), max_bytes_(max_bytes) {}

  // Knows of nothing up to `floor` from here on.
  void reset(uint64_t floor);
  // The next publication of the channel. Behind a hole, what was before it is forgotten: nobody
  // knows which keys the hole has.
  void append(const PublicationPtr& publication, uint64_t top);
  // Forgets what lies up to `offset`.
  void forget(uint64_t offset);

  // A reader that stands before it cannot be served from here.
  uint64_t floor() const { return floor_; }
  // The first publications behind `position` without one that is replaced between them. Valid until
  // the next change.
  std::span<const PublicationPtr> after(uint64_t position) const;
  size_t bytes() const { return bytes_; }
  size_t size() const { return by_key_.size(); }

 private:
  std::string_view key_of(const Publication& publication) const;
  size_t find(uint64_t offset) const;
  void release(size_t slot);
  void drop_oldest();
  void compact();

  std::string tag_;
  size_t max_bytes_;
  uint64_t floor_ = 0;
  size_t bytes_ = 0;
  size_t first_ = 0;  // slots before it are empty
  // Ascending offsets, and their publications; null: replaced.
  std::vector<uint64_t> offsets_;
  std::vector<PublicationPtr> slots_;
  // Where the newest of a key is. The key lives in that publication.
  struct Newest {
    mutable std::string_view key;
    mutable uint64_t offset;
  };
  struct ByKey {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return SeededHash{}(key); }
    size_t operator()(const Newest& newest) const { return SeededHash{}(newest.key); }
    bool operator()(const Newest& a, const Newest& b) const { return a.key == b.key; }
    bool operator()(std::string_view a, const Newest& b) const { return a == b.key; }
  };
  std::unordered_set<Newest, ByKey, ByKey> by_key_;
};

}  // namespace parley::hub
