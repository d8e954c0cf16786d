// The counts and rates of a node, over all its shards.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/quotas.h"
#include "base/token_bucket.h"
#include "io/shared_buckets.h"
#include "io/shared_counts.h"

namespace parley::io {

// 0, or a rate that is not limited: any.
struct QuotaOptions {
  uint32_t connections = 0;
  uint32_t address_connections = 0;  // at a time; so the next
  uint32_t user_connections = 0;
  Rate opened;  // new connections
  Rate address_opened;
  Rate address_commands;
  Rate address_publishes;
  Rate user_commands;
  Rate user_publishes;
  size_t remembered = 1 << 16;  // addresses, or users, of each rate
};

// What: see Quotas; and the doors' part of it. Exact over all shards, without a message between
// them. Owner: the server, one per node. Shard: any.
class NodeQuotas final : public Quotas {
 public:
  explicit NodeQuotas(const QuotaOptions& options);

  // Why a connection may not come in.
  enum class Full : uint8_t { kNode, kAddress, kNodeRate, kAddressRate };
  struct Refused {
    Full why;
    Duration wait;  // until there may be room, where that is known
  };
  // Who is refused for one thing takes nothing of the others, unless another shard takes the last
  // token at that very moment; so it is with may().
  std::variant<Seat, Refused> admit(uint64_t address, Time now);

  bool may(Operation operation, PeerKeys who, Time now) override;
  bool enter_user(uint64_t user, bool always) override;
  void leave_user(uint64_t user) override;
  void leave_seat(uint64_t address) override;

  // Whether sessions have something to ask.
  bool limits_sessions() const { return options_.user_connections > 0 || limits_rates(); }
  bool limits_rates() const;
  bool seats() const { return options_.connections > 0 || options_.address_connections > 0; }
  size_t addresses() const { return address_connections_.size(); }
  size_t users() const { return user_connections_.size(); }

 private:
  struct Rates {
    Rates(const Rate& address, const Rate& user, size_t places)
        : by_address(address, places), by_user(user, places) {}
    SharedBuckets by_address;
    SharedBuckets by_user;
  };
  bool take_connection();
  std::optional<Refused> take_rates(uint64_t address, Time now);

  QuotaOptions options_;
  std::atomic<uint32_t> connections_{0};
  SharedCounts address_connections_;
  SharedCounts user_connections_;
  SharedBuckets opened_;
  SharedBuckets address_opened_;
  Rates commands_;
  Rates publishes_;
};

}  // namespace parley::io
