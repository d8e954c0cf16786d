// What varies from seed to seed in the simulated contract.
#pragma once

#include <cstdint>

#include "adapter/centrifuge/options.h"
#include "hub/channel_options.h"
#include "tests/sim/remote_broker.h"
#include "tests/sim/sim_shard.h"

namespace parley::sim {

enum class BrokerKind : uint8_t { kMemory, kRemote, kDurable };

// How often things go wrong, as the mean time between two; 0: never.
struct FaultRates {
  Duration cut{0};           // one line breaks
  Duration silence{0};       // one line goes half-open
  Duration stall{0};         // a shard stands still
  Duration rings_closed{0};  // no ring takes anything
  Duration crash{0};         // the node dies and comes back
  Duration shutdown{0};      // ... in order
  Duration clock{0};         // the wall clock jumps
  Duration broker{0};        // the broker's own faults
  Duration control{0};       // the backend unsubscribes or disconnects a user
  Duration mute{0};          // a client stops answering pings
  Duration pressure{0};      // publishers are slowed, refused, or neither any longer
  Duration lapse{0};         // all that one shard held for its clients is gone
};

struct ContractOptions {
  uint64_t seed = 1;
  ShardId shards = 2;
  BrokerKind broker = BrokerKind::kMemory;
  bool sparse = false;  // remote: offsets skip numbers; Centrifuge clients are not served then
  size_t ring_capacity = 64;
  size_t credits = 16;
  ShardOptions shard;
  adapter::centrifuge::Options centrifuge;
  size_t memory_bytes = 64 << 20;
  RemoteFaults remote;
  Duration sync_every = milliseconds(20);
  uint64_t late_tokens = 0, lost_tokens = 0;  // of 100
  bool single_connection = false;             // of each user
  uint32_t small_history = 3;
  uint32_t large_history = 300;
  size_t tail_bytes = 1 << 20;
  // Of the channels with a policy for readers that are too slow.
  size_t lag_bytes = 2000;
  Duration lag_delay{0};
  uint32_t lag_history = 0;
  Duration publish_wait = seconds(1);
  LineOptions line;
  size_t centrifuge_clients = 5;
  size_t eventsource_clients = 3;
  Duration think{seconds(2)};  // mean time between two things that a client does
  Duration api_think{seconds(1)};
  Duration length{seconds(35)};
  FaultRates faults;
};

// The random mix.
ContractOptions contract_of_seed(uint64_t seed);

}  // namespace parley::sim
