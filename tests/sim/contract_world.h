// A whole node and its clients under virtual time: hubs, sessions and adapters are the real ones.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapter/centrifuge/adapter.h"
#include "adapter/eventsource/adapter.h"
#include "tests/sim/broker_farm.h"
#include "tests/sim/centrifuge_client.h"
#include "tests/sim/contract_options.h"
#include "tests/sim/eventsource_client.h"
#include "tests/sim/host.h"
#include "tests/sim/sim_shard.h"
#include "tests/support/hub_fakes.h"
#include "tests/support/session_world.h"

namespace parley::sim {

// What: S shards with brokers and rings, clients on lines, an application that publishes, and
// faults. All of it in one thread and from one seed. Owner: the test. Failure: failure(), the first
// thing that broke a promise.
class ContractWorld final : public Host {
 public:
  explicit ContractWorld(const ContractOptions& options);
  ~ContractWorld() override;

  // Chaos for as long as the options say, then peace, then the checks.
  void run();
  // For scenarios: time passes; stops at the first failure.
  void pass(Duration time);
  // No more faults: everything comes to rest, and is what it should be.
  void settle_and_check();

  CentrifugeClient& add_centrifuge(CentrifugeHabits habits = {});
  EventSourceClient& add_eventsource(const std::string& channel);
  const KnownChannel& channel(const std::string& name) const;
  // Where the next client comes in; kNoShard: anywhere.
  void lead_to(ShardId shard) { lead_ = shard; }
  SimShard& shard(ShardId id) { return *shards_[id]; }
  ShardId home(const std::string& channel) const { return slots_.home(channel); }
  // The application publishes on some shard, with a key if there is one; the same key repeats.
  void api_publish(const std::string& channel, const std::string& key = "",
                   const std::string& tag = "");
  void crash(Duration away);
  void shut_down(Duration away);
  void close_rings(Duration time);
  void fault_broker(const std::string& channel);
  void break_broker_line(const std::string& channel, Duration time);
  // The remote broker loses the channel's history.
  void lose_history(const std::string& channel);
  // What a restart of one shard alone would look like from outside: its sessions are gone, and so
  // is its broker's line or what the broker had.
  void lapse(ShardId shard);
  void send_control(hub::Control::Kind kind, const std::string& user, const std::string& channel);
  // The user may be connected once, and has a channel of its own.
  void allow_one_connection(const std::string& user);
  void cut_one();
  // The faults of the options begin, as in run().
  void start_faults();
  Rings& rings() { return *rings_; }

  const std::string& failure() const { return sim_.failure(); }
  uint64_t trace() const { return sim_.trace.hash(); }
  double seconds_passed() const { return sim_.seconds_passed(); }
  uint64_t delivered() const;
  uint64_t gaps() const;
  uint64_t recoveries() const;
  uint64_t published() const { return ledger_.published(); }

  Simulation& sim() override { return sim_; }
  Ledger& ledger() override { return ledger_; }
  const std::vector<KnownChannel>& channels() const override { return channels_; }
  bool connect(const std::shared_ptr<Line>& line, Door door,
               const session::Handshake& handshake) override;
  LineOptions line_options() override;
  bool calm() const override { return calm_; }
  void check_unrecovered(const std::string& who, const KnownChannel& channel,
                         const hub::StreamPosition& position) override;
  void check_gone(const std::string& who, const std::string& channel, const hub::Epoch& epoch,
                  uint64_t to) override;

 private:
  struct ApiPublish {
    std::string channel, data, key, tag;
  };

  void tell_options();
  using AddNamespace =
      std::function<void(const std::string& space, hub::ChannelOptions options, int count)>;
  void add_namespaces();
  void add_policies(const AddNamespace& add);
  void add_clients();
  void boot();
  void die();
  void forget_keys();
  void look(const std::string& channel, RecordingBroker::Seen seen);
  // Something that happens again and again, at random, until the world calms down.
  void every(Duration mean, std::function<void()> what);
  void start_api();
  void api_act();
  void api_burst();
  void api_send(const ApiPublish& publish);
  void step_clock();
  Client& any_client() { return *clients_[sim_.random.below(clients_.size())]; }

  void calm_down();
  void calm_shard(SimShard& shard);
  bool rest();
  void check_rest();
  void check_tops();
  void check_presence();
  void check_last_words();
  void check_one_connection();
  bool has(const Client::Reading& reading, const std::string& data) const;
  void check_empty();

  const ContractOptions options_;
  Simulation sim_;
  Ledger ledger_;
  testing::SeededIds ids_;
  hub::SlotTable slots_;
  testing::NamespaceRules rules_;
  testing::FakeAccess access_;
  adapter::centrifuge::CentrifugeFactory centrifuge_;
  adapter::eventsource::EventSourceFactory eventsource_;
  std::vector<KnownChannel> channels_;
  BrokerFarm farm_;
  std::unique_ptr<Rings> rings_;
  std::vector<std::unique_ptr<SimShard>> shards_;  // none: the node is dead
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<ApiPublish> keyed_;
  ShardId lead_ = kNoShard;
  uint64_t lives_ = 0;  // of the node
  uint64_t keys_ = 0;
  uint64_t tries_ = 0;
  bool dying_ = false;  // the node is about to die
  bool calm_ = false;
};

}  // namespace parley::sim
