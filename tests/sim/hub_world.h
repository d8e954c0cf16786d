// Hubs with everything around them, in one thread, under a seeded scheduler.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hub/hub.h"
#include "tests/sim/model_subscriber.h"
#include "tests/sim/sim_post.h"
#include "tests/sim/sim_random.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"

namespace parley::sim {

struct WorldOptions {
  uint64_t seed = 1;
  ShardId shards = 2;
  size_t ring_capacity = 4;
  size_t credits = 2;
  size_t parked_requests = 4096;
  size_t turn_items = 64;
  size_t readers = 12;
  bool policies = false;         // for readers that are too far behind
  size_t tail_bytes = 64 << 20;  // of all tails of a shard together
  bool remote = false;           // the broker's feed and answers travel apart
  bool sparse = false;           // offsets skip numbers
  bool faults = false;           // broken feeds, resets, rollbacks, errors
};

// Everything that varies from seed to seed.
WorldOptions options_of_seed(uint64_t seed);

// What: N hubs with their brokers and rings, readers, publishers and members, and the checks.
// Owner: the test. The scheduler decides which hub turns, which ring delivers and who acts next;
// between two shards order is kept, everything else is permuted.
class HubWorld final : public Truth {
 public:
  explicit HubWorld(const WorldOptions& options);
  ~HubWorld() override;

  void step();
  // No more actions: everything is delivered and read, and `time` passes.
  void settle(Duration time);
  // Every live reader is at the top, everything is answered, presence is what it should be.
  void check_settled();
  // Everybody leaves; nothing may be left behind.
  void check_empty();

  // For directed scenarios.
  hub::Hub& hub(ShardId shard) { return *nodes_[shard]->hub; }
  testing::FakeBroker& broker(const std::string& channel) {
    return nodes_[slots_.home(channel)]->broker;
  }
  Rings& rings() { return rings_; }
  ModelSubscriber& reader(size_t index) { return *readers_[index]; }
  size_t readers() const { return readers_.size(); }
  ModelSubscriber& add_reader(const std::string& channel);
  void publish(ShardId from, const std::string& channel, const std::string& key = "");
  void turn(ShardId shard, Duration passed);
  bool deliver(ShardId from, ShardId to);
  void fault(const std::string& channel);

  const std::string& failure() const { return failure_; }
  size_t overloaded() const { return overloaded_; }
  size_t taken_back() const { return taken_back_.size(); }

  void fail(const std::string& what) override;
  const std::string* published(const hub::ChannelKey& channel, const hub::Epoch& epoch,
                               uint64_t offset) override;
  bool must_recover(const hub::ChannelKey& channel, uint64_t offset) override;
  bool never_reset(const hub::ChannelKey& channel) override;
  Trace& trace() override { return trace_; }

 private:
  struct Asked {
    std::string key;            // what the publish is idempotent by, "" for none
    std::string channel, data;  // of a publish
    bool withdrawn = false;
  };
  struct Node final : hub::Requester {
    Node(HubWorld& owner, ShardId id);
    void on_answer(hub::StepId step, hub::Answer answer) override;
    HubWorld& world;
    testing::FakeBroker broker;
    SimPost post;
    std::unique_ptr<hub::Hub> hub;
    hub::RequesterId self;
    std::map<hub::StepId, Asked> open;  // requests without an answer
    hub::Pace pace = hub::Pace::kNow;
  };
  struct FirstPublish {
    std::string channel, data;
    hub::StreamPosition position;
  };

  void act();
  void act_reader(ModelSubscriber& reader);
  void act_presence();
  void act_request();
  void act_withdrawal();
  hub::StepId open_step(Node& node, Asked asked);
  void check_duplicate(const std::string& key, const hub::Published& published);
  void check_presence();
  const std::string& any_channel();
  ShardId any_shard() { return static_cast<ShardId>(random_.below(options_.shards)); }
  bool busy() const;

  WorldOptions options_;
  Random random_;
  Trace trace_;
  hub::SlotTable slots_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_;
  Rings rings_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<ModelSubscriber>> readers_;
  std::vector<std::string> channels_;
  std::map<std::string, bool> members_;  // by client: present
  std::map<std::string, FirstPublish> keys_;
  std::optional<hub::PresenceSnapshot> snapshot_;
  Now now_{Time{seconds(1000)}, 1'000'000};
  hub::StepId next_step_ = 1;
  uint64_t published_ = 0;
  size_t overloaded_ = 0;
  std::set<std::string>
      taken_back_;  // data of publishes that were refused since they were withdrawn
  std::string failure_;
};

}  // namespace parley::sim
