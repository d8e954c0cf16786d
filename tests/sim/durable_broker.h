// A broker that writes to a disk, as a contract only: what is not synced is lost with the process.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "hub/broker.h"
#include "tests/sim/ledger.h"
#include "tests/sim/simulation.h"
#include "tests/sim/stored_stream.h"

namespace parley::sim {

// What: one shard's disk, which outlives its process. Owner: the world.
class DurableStore {
 public:
  DurableStore(Simulation& sim, Ledger& ledger, ShardId shard)
      : sim_(sim), ledger_(ledger), shard_(shard) {}

  struct Stream : StoredStream {
    uint64_t synced = 0;
  };
  struct Key {
    uint64_t offset;
    KeyedAnswer answer;
  };

  Stream& stream(const std::string& channel);
  void sync();
  // The process died: what was not synced never was, and a new generation begins.
  void roll_back();
  std::map<std::string, Stream>& streams() { return streams_; }
  std::map<KeyScope, Key>& keys() { return keys_; }

 private:
  Simulation& sim_;
  Ledger& ledger_;
  const ShardId shard_;
  std::map<std::string, Stream> streams_;
  std::map<KeyScope, Key> keys_;
  uint32_t epochs_ = 0;
};

// What: sequences at once, syncs now and then, and gives nothing above a channel's level: with
// level durable neither feed nor history show what is not synced. Owner: RecordingBroker of the
// shard.
class DurableBroker final : public hub::Broker {
 public:
  DurableBroker(Simulation& sim, DurableStore& store, Duration sync_every,
                std::function<void()> news);
  ~DurableBroker() override { *alive_ = false; }

  // The disk refuses: no more acknowledgements, no more deliveries of what is not synced.
  void poison();
  void calm() { sync_every_ = std::min<Duration>(sync_every_, milliseconds(2)); }

  hub::BrokerCapabilities capabilities() const override;
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed) override;
  void detach(const hub::ChannelKey& channel) override { attached_.erase(channel.name); }
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override;
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override;
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override;
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override;

 private:
  using Event = std::function<void(hub::BrokerEvents&)>;
  struct Unsynced {
    Event told;    // when it is synced
    Event failed;  // when it never will be
  };
  void tell(Event event) {
    ready_.push_back(std::move(event));
    news_();
  }
  uint64_t visible(const std::string& channel);
  void wait_for_sync();
  void synced();

  Simulation& sim_;
  DurableStore& store_;
  Duration sync_every_;
  std::function<void()> news_;
  std::map<std::string, hub::AckLevel> levels_;  // of the channels seen
  std::map<std::string, hub::FeedId> attached_;
  std::deque<Event> ready_;
  std::deque<Unsynced> unsynced_;
  bool syncing_ = false;
  bool poisoned_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::sim
