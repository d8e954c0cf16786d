// A reader that checks everything it is given.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hub/hub.h"
#include "tests/sim/sim_random.h"

namespace parley::sim {

// What the model knows that the hub does not: the truth. Implemented by the world.
class Truth {
 public:
  virtual ~Truth() = default;
  virtual void fail(const std::string& what) = 0;
  // What was published there; null: nothing ever was.
  virtual const std::string* published(const hub::ChannelKey& channel, const hub::Epoch& epoch,
                                       uint64_t offset) = 0;
  // Whether a reader at `offset` can still be given all that follows, and the stream was never
  // reset.
  virtual bool must_recover(const hub::ChannelKey& channel, uint64_t offset) = 0;
  virtual bool never_reset(const hub::ChannelKey& channel) = 0;
  virtual Trace& trace() = 0;
};

// What: one reader of one channel, slow at random. Subscribes, leaves, and comes back with its last
// position, on any shard. Owner: the world.
class ModelSubscriber final : public hub::Subscriber {
 public:
  ModelSubscriber(Truth& truth, std::string name, hub::ChannelKey channel)
      : truth_(truth), name_(std::move(name)), channel_(std::move(channel)) {}

  enum class Phase { kIdle, kAsked, kLive };
  Phase phase() const { return phase_; }
  const hub::ChannelKey& channel() const { return channel_; }
  uint64_t position() const { return position_; }
  bool dirty() const { return subscription_ && subscription_->dirty; }
  uint64_t delivered() const { return delivered_; }
  uint64_t gaps() const { return gaps_; }
  uint64_t recoveries() const { return recoveries_; }
  uint64_t changes() const { return changes_; }  // that a session could have sent as such

  void subscribe(hub::Hub& hub, hub::Start::Kind kind, uint32_t limit);
  void unsubscribe();
  // Pulls at most `pulls` times, taking at most `most` publications each time.
  void flush(size_t pulls, size_t most);

  void on_subscribed(hub::Subscription& subscription,
                     std::expected<hub::Subscribed, hub::HubError> result) override;
  void on_dirty(hub::Subscription& subscription) override;

 private:
  void fail(const std::string& what);
  void take(const hub::Publication& publication);
  void take_presence(const hub::Publication& publication);
  void take_gap(const hub::Gap& gap);
  void start(const hub::Subscribed& result);
  void start_newest(const hub::Subscribed& result);
  void check_base(const hub::Publication& publication);

  Truth& truth_;
  std::string name_;
  hub::ChannelKey channel_;
  hub::Hub* hub_ = nullptr;
  std::unique_ptr<hub::Subscription> subscription_;
  Phase phase_ = Phase::kIdle;
  hub::Start start_;
  hub::Epoch epoch_;
  uint64_t position_ = 0;
  bool placed_ = false;  // has a position to come back with
  uint64_t delivered_ = 0;
  uint64_t gaps_ = 0;
  uint64_t recoveries_ = 0;
  uint64_t base_ = 0;  // offset of what a client with deltas holds; 0: nothing
  Buffer base_data_;
  uint64_t changes_ = 0;
  std::map<std::string, hub::Change> seen_;  // presence: the last change of each member
};

}  // namespace parley::sim
