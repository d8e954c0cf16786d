// How many one-time tickets wait to be used on this node.
#pragma once

#include <atomic>

#include "auth/ticket_desk.h"

namespace parley::server {

// What: see auth::TicketQuota; exact over all shards. Owner: the server, one per node. Shard: any.
class TicketCount final : public auth::TicketQuota {
 public:
  explicit TicketCount(size_t most) : most_(most) {}
  bool take() override {
    size_t now = count_.load(std::memory_order_relaxed);
    do {
      if (now >= most_) return false;
    } while (!count_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
    return true;
  }
  void give_back() override { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const size_t most_;
  std::atomic<size_t> count_{0};
};

}  // namespace parley::server
