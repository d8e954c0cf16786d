// One shard of the simulated node: everything real but the loop, the sockets and the clock.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/affinity.h"
#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "session/session_table.h"
#include "tests/sim/late_tokens.h"
#include "tests/sim/line.h"
#include "tests/sim/recording_broker.h"
#include "tests/sim/sim_post.h"

namespace parley::sim {

struct ShardOptions {
  hub::HubOptions hub;
  session::SessionLimits session;
  size_t flushed_lines = SIZE_MAX;  // in one turn
  size_t mail = 4096;               // messages taken from a ring at once
  Duration ring_delay = milliseconds(1);
};

// What: a hub with its broker, sessions and lines, which takes turns when there is reason to.
// Owner: SimNode. Shard: its own; the world calls it between turns.
class SimShard final : private hub::Requester {
 public:
  using Answered = std::function<void(hub::Answer)>;
  // `news`: to be called when the broker has something to tell in a turn.
  using BrokerMaker = std::function<std::unique_ptr<hub::Broker>(std::function<void()> news)>;

  SimShard(Simulation& sim, const ShardOptions& options, const hub::SlotTable& slots, Rings& rings,
           const hub::ChannelRules& rules, IdSource& ids, const BrokerMaker& make_broker,
           Ledger& ledger);
  ~SimShard() override;

  // Runs `work` as this shard, and what follows from it soon. False while it stands still.
  bool enter(std::function<void()> work);
  void want_turn();
  // The rings are as fast as they should be, and tokens are answered.
  void calm();
  // All clients lose their lines.
  void cut_lines();
  // Nothing happens here until then.
  void stall(Duration duration);
  Time stalled_until() const { return stalled_until_; }
  // Messages of another shard have come.
  void receive_from(ShardId from);
  void set_others(std::vector<SimShard*> shards) { shards_ = std::move(shards); }

  // A client comes on `line`.
  void accept(const std::shared_ptr<Line>& line, const session::AdapterFactory& factory,
              const session::Handshake& handshake);

  // As the server API does. Not answered when the node dies first.
  void publish(hub::PublishRecord record, Answered answered);
  void control(hub::Control control, Answered answered);
  void history(const std::string& channel, const hub::ReadQuery& query, Answered answered);
  void remove_history(const std::string& channel, Answered answered);
  void presence(const std::string& channel, Answered answered);

  hub::Hub& hub() { return *hub_; }
  RecordingBroker& broker() { return broker_; }
  session::SessionTable& table() { return *table_; }
  LateTokens& tokens() { return tokens_; }
  size_t unanswered() const { return open_.size(); }
  // Nothing is left to do, but what time brings.
  bool idle() const;

 private:
  void on_answer(hub::StepId step, hub::Answer answer) override;
  hub::StepId open(Answered answered);
  void turn();
  void flush_lines();
  void write_shared();
  void schedule_turn(Time at);
  void pump();

  Simulation& sim_;
  ShardOptions options_;
  Rings& rings_;
  RecordingBroker broker_;
  SimPost post_;
  LateTokens tokens_;
  TimerWheel timers_;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<session::SessionTable> table_;
  hub::RequesterId self_;
  hub::StepId last_step_ = 0;
  std::map<hub::StepId, Answered> open_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::vector<std::pair<std::shared_ptr<Line>, ByteView>> lent_;  // to be written together
  size_t next_line_ = 0;                                          // that is flushed first
  std::vector<SimShard*> shards_;
  std::vector<bool> arriving_;  // by shard that it comes from
  Time stalled_until_{};
  Time next_turn_ = Time::max();
  uint64_t turn_id_ = 0;
  bool flushed_ = true;
  hub::Pace pace_ = hub::Pace::kNow;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::sim
