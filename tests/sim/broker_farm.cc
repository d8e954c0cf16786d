#include "tests/sim/broker_farm.h"

namespace parley::sim {

BrokerFarm::BrokerFarm(Simulation& sim, Ledger& ledger, IdSource& ids,
                       const ContractOptions& options)
    : sim_(sim), ids_(ids), options_(options), remote_(sim) {
  remote_.set_sparse(options.sparse);
  for (ShardId shard = 0; shard < options.shards; ++shard) disks_.emplace_back(sim, ledger, shard);
}

std::unique_ptr<hub::Broker> BrokerFarm::connect(ShardId shard, std::function<void()> news) {
  switch (options_.broker) {
    case BrokerKind::kRemote:
      return std::make_unique<RemoteBroker>(sim_, remote_, shard, options_.remote, std::move(news));
    case BrokerKind::kDurable:
      return std::make_unique<DurableBroker>(sim_, disks_[shard], options_.sync_every,
                                             std::move(news));
    case BrokerKind::kMemory:
      break;
  }
  return std::make_unique<broker::memory::MemoryBroker>(
      broker::memory::MemoryBrokerOptions{.max_bytes = options_.memory_bytes, .idempotency = {}},
      ids_, sim_.now());
}

void BrokerFarm::node_died() {
  for (DurableStore& disk : disks_) disk.roll_back();
}

bool BrokerFarm::fault(hub::Broker& broker, const std::string& channel) {
  if (auto* remote = dynamic_cast<RemoteBroker*>(&broker)) {
    if (sim_.random.one_in(5)) {
      sim_.note("the server loses {}", channel);
      remote_.lose(channel);
    } else {
      remote->break_line(sim_.between(milliseconds(5), seconds(6)));
    }
  }
  if (auto* durable = dynamic_cast<DurableBroker*>(&broker)) {
    sim_.note("a disk fails");
    durable->poison();
    return true;
  }
  return false;
}

void BrokerFarm::calm(hub::Broker& broker) {
  if (auto* remote = dynamic_cast<RemoteBroker*>(&broker)) remote->calm();
  if (auto* durable = dynamic_cast<DurableBroker*>(&broker)) durable->calm();
}

bool BrokerFarm::may_be_seen(ShardId home, const std::string& channel, uint64_t offset) {
  return options_.broker != BrokerKind::kDurable || disks_[home].stream(channel).synced >= offset;
}

}  // namespace parley::sim
