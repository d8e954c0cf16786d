// Stands between a hub and its broker, and writes down where publications come to stand.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hub/broker.h"
#include "tests/sim/ledger.h"

namespace parley::sim {

// What: passes everything on. Also looks at channels for the checks, through the same port. Owner:
// SimShard.
class RecordingBroker final : public hub::Broker, private hub::BrokerEvents {
 public:
  using Seen = std::function<void(const hub::ReadPage&)>;

  RecordingBroker(std::unique_ptr<hub::Broker> broker, Ledger& ledger)
      : broker_(std::move(broker)), ledger_(ledger) {}
  void on_news(std::function<void()> tell) { tell_ = std::move(tell); }

  // Where the channel's stream begins and ends. `seen` is called from a later turn, unless the
  // broker cannot say.
  void look(const std::string& channel, Seen seen) {
    looking_.emplace(++last_look_, std::move(seen));
    broker_->read(last_look_, {channel}, {.limit = 0});
    tell_();
  }
  size_t looks() const { return looking_.size(); }
  hub::Broker& real() { return *broker_; }

  hub::BrokerCapabilities capabilities() const override { return broker_->capabilities(); }
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed) override {
    broker_->attach(channel, std::move(options), feed);
  }
  void detach(const hub::ChannelKey& channel) override { broker_->detach(channel); }
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override;
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override {
    reads_.emplace(token, channel.name);
    broker_->read(token, channel, query);
  }
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override {
    broker_->remove_history(token, channel);
  }
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override {
    events_ = &events;
    return broker_->run(now, *this, max_events);
  }

 private:
  static constexpr hub::BrokerToken kLooks = hub::BrokerToken{1} << 63;
  struct Asked {
    std::string channel;
    std::unique_ptr<hub::Publication> publication;
  };

  void on_attached(const hub::ChannelKey& channel, hub::FeedId feed,
                   std::expected<hub::Attached, hub::BrokerError> result) override {
    if (result) ledger_.lives_in(channel.name, result->epoch);
    events_->on_attached(channel, feed, std::move(result));
  }
  void on_published(hub::BrokerToken token,
                    std::expected<hub::Published, hub::BrokerError> result) override;
  void on_read(hub::BrokerToken token,
               std::expected<hub::ReadPage, hub::BrokerError> page) override;
  void on_history_removed(hub::BrokerToken token,
                          std::expected<void, hub::BrokerError> result) override {
    events_->on_history_removed(token, std::move(result));
  }
  void on_publication(const hub::ChannelKey& channel, hub::FeedId feed,
                      hub::PublicationPtr publication) override {
    ledger_.sequenced(channel.name, *publication);
    events_->on_publication(channel, feed, std::move(publication));
  }
  void on_reset(const hub::ChannelKey& channel, const hub::Attached& now,
                hub::GapReason reason) override {
    ledger_.lives_in(channel.name, now.epoch);
    events_->on_reset(channel, now, reason);
  }
  void on_feed_broken(const std::vector<hub::Slot>& slots) override {
    events_->on_feed_broken(slots);
  }

  std::unique_ptr<hub::Broker> broker_;
  Ledger& ledger_;
  hub::BrokerEvents* events_ = nullptr;
  std::function<void()> tell_;
  std::unordered_map<hub::BrokerToken, Asked> asked_;
  std::unordered_map<hub::BrokerToken, std::string> reads_;
  std::unordered_map<hub::BrokerToken, Seen> looking_;
  hub::BrokerToken last_look_ = kLooks;
};

}  // namespace parley::sim
