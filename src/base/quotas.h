// What all clients of a node share: how often one user or address may ask, and how many connections
// each may have. Why so: docs/adr/0019-no-client-hurts-another.md.
#pragma once

#include <cstdint>
#include <utility>

#include "base/time.h"

namespace parley {

enum class Operation : uint8_t { kCommand, kPublish };
inline constexpr size_t kOperations = 2;

// Who asks, as keyed hashes of the names; 0 is nobody in particular, whom nothing limits.
struct PeerKeys {
  uint64_t address = 0;
  uint64_t user = 0;
};

// What: the counts and rates of one node. Owner: the server, one per node, outlives all shards.
// Shard: any; never waits. Failure: none; who may not is told so.
class Quotas {
 public:
  virtual ~Quotas() = default;
  // A publish is a command too. Who is refused by one rate takes nothing from the others.
  virtual bool may(Operation operation, PeerKeys who, Time now) = 0;
  // Another connection of this user. `always`: it is counted and never refused.
  virtual bool enter_user(uint64_t user, bool always) = 0;
  virtual void leave_user(uint64_t user) = 0;
  // A connection has ended that had a seat.
  virtual void leave_seat(uint64_t address) = 0;
};

// What: a connection's place among those of its node and of its address, until it is destroyed. A
// value, and may be empty. Owner: whoever answers for the connection. Shard: any.
class Seat {
 public:
  Seat() = default;
  Seat(Quotas& quotas, uint64_t address) : quotas_(&quotas), address_(address) {}
  Seat(Seat&& from) noexcept
      : quotas_(std::exchange(from.quotas_, nullptr)), address_(from.address_) {}
  Seat& operator=(Seat&& from) noexcept {
    std::swap(quotas_, from.quotas_);
    std::swap(address_, from.address_);
    return *this;
  }
  ~Seat() {
    if (quotas_ != nullptr) quotas_->leave_seat(address_);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  Quotas* quotas_ = nullptr;
  uint64_t address_ = 0;
};

}  // namespace parley
