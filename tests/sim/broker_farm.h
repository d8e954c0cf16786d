// Where the node's brokers come from, and what of theirs outlives the node.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "broker/memory/memory_broker.h"
#include "tests/sim/contract_options.h"
#include "tests/sim/durable_broker.h"
#include "tests/sim/remote_broker.h"

namespace parley::sim {

// What: one of the three kinds, for all shards. Owner: ContractWorld.
class BrokerFarm {
 public:
  BrokerFarm(Simulation& sim, Ledger& ledger, IdSource& ids, const ContractOptions& options);

  std::unique_ptr<hub::Broker> connect(ShardId shard, std::function<void()> news);
  // The node died, and with it its memory.
  void node_died();
  // Something goes wrong with the shard's broker. True: the node cannot go on with it.
  void lose(const std::string& channel) { remote_.lose(channel); }
  bool fault(hub::Broker& broker, const std::string& channel);
  void calm(hub::Broker& broker);
  // Whether what stands there may be seen by anybody yet.
  bool may_be_seen(ShardId home, const std::string& channel, uint64_t offset);

 private:
  Simulation& sim_;
  IdSource& ids_;
  const ContractOptions& options_;
  RemoteServer remote_;
  std::vector<DurableStore> disks_;
};

}  // namespace parley::sim
