// The rings between shards as the simulator sees them.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "hub/post.h"

namespace parley::sim {

// What: one FIFO per ordered pair of shards, bounded for fan-out; requests and replies hold
// credits. Nothing moves until the scheduler delivers it. Owner: the world.
class Rings {
 public:
  Rings(ShardId shards, size_t capacity, size_t credits);

  struct Ring {
    std::deque<hub::HubMessage> messages;
    size_t feeds = 0;    // messages without a credit; at most the capacity
    size_t credits = 0;  // of requests from this pair's first shard to its second
  };
  Ring& ring(ShardId from, ShardId to) { return rings_[from * shards_ + to]; }
  // Takes the next message off; a reply gives its credit back.
  hub::HubMessage take(ShardId from, ShardId to);
  bool empty() const;
  bool all_credits_back() const;
  size_t capacity() const { return capacity_; }
  // Counts of what was refused, so that a test can tell that it was tried.
  size_t refused_feeds = 0;
  size_t refused_credits = 0;
  bool closed = false;  // refuses all fan-out and credits while set

 private:
  ShardId shards_;
  size_t capacity_, credits_;
  std::vector<Ring> rings_;
};

// One shard's end.
class SimPost final : public hub::Post {
 public:
  SimPost(Rings& rings, ShardId shard) : rings_(rings), shard_(shard) {}
  bool take_credit(ShardId to) override;
  void send_request(ShardId to, hub::HubMessage message) override;
  void send_reply(ShardId to, hub::HubMessage message) override;
  bool try_send(ShardId to, hub::HubMessage& message) override;

 private:
  Rings& rings_;
  ShardId shard_;
};

}  // namespace parley::sim
