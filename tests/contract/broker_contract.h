// The contract of hub::Broker, for every implementation. A broker is plugged in by a BrokerRig and
//   INSTANTIATE_TEST_SUITE_P(Redis, BrokerContract, ::testing::Values(&make_redis_rig));
// in a binary that also compiles broker_contract_*.cc.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hub/broker.h"

namespace parley::testing {

// One broker under test, started empty, and the world around it.
class BrokerRig {
 public:
  virtual ~BrokerRig() = default;
  virtual hub::Broker& broker() = 0;
  // Runs the broker until every request is completed and the feed is drained; at most `max_events`
  // per run.
  virtual void pump(hub::BrokerEvents& events, size_t max_events = SIZE_MAX) = 0;
  // Lets time pass. False when this rig cannot; tests that need it are skipped.
  virtual bool advance(Duration) { return false; }
  // Makes the broker forget unattached streams, as if memory were short. False when it cannot.
  virtual bool squeeze() { return false; }
  // Why this broker, a model, is not held to that test; "": it is.
  virtual std::string_view lacks(std::string_view /*test*/) const { return {}; }
};

using RigFactory = std::unique_ptr<BrokerRig> (*)();

// Writes down what the broker says.
class BrokerLog final : public hub::BrokerEvents {
 public:
  using AttachResult = std::expected<hub::Attached, hub::BrokerError>;
  using PublishResult = std::expected<hub::Published, hub::BrokerError>;
  using ReadResult = std::expected<hub::ReadPage, hub::BrokerError>;

  void on_attached(const hub::ChannelKey& channel, hub::FeedId id, AttachResult result) override;
  void on_published(hub::BrokerToken token, PublishResult result) override;
  void on_read(hub::BrokerToken token, ReadResult page) override;
  void on_history_removed(hub::BrokerToken token,
                          std::expected<void, hub::BrokerError> result) override;
  void on_publication(const hub::ChannelKey& channel, hub::FeedId id,
                      hub::PublicationPtr publication) override;
  void on_reset(const hub::ChannelKey& channel, const hub::Attached& now,
                hub::GapReason reason) override;
  void on_feed_broken(const std::vector<hub::Slot>& slots) override;

  // In words, in order: "attached a#1 0..0", "feed a:1=data", "published 7", "read 8", "removed 9".
  std::vector<std::string> lines;
  std::map<std::string, hub::Attached> attached;  // the latest, by channel
  std::map<std::string, std::vector<hub::PublicationPtr>> feed;
  std::map<std::string, hub::FeedId> feed_ids;  // of each channel's last attachment
  std::map<hub::BrokerToken, PublishResult> published;
  std::map<hub::BrokerToken, ReadResult> pages;
};

// Makes requests of one rig's broker and keeps its log.
class BrokerClient {
 public:
  using Options = std::shared_ptr<const hub::ChannelOptions>;

  explicit BrokerClient(std::unique_ptr<BrokerRig> rig) : rig_(std::move(rig)) {}

  static Options with_history(uint32_t size, seconds ttl = seconds(300),
                              seconds meta_ttl = seconds(3600));
  static Options without_history() { return with_history(0); }
  static hub::PublishRecord record(const std::string& channel, const std::string& data,
                                   Options options);

  hub::Broker& broker() { return rig_->broker(); }
  void pump() { rig_->pump(log_); }

  // Asynchronous: give the token of the completion to come.
  hub::BrokerToken publish(hub::PublishRecord record);
  hub::BrokerToken publish(const std::string& channel, const std::string& data, Options options) {
    return publish(record(channel, data, std::move(options)));
  }
  hub::BrokerToken read(const std::string& channel, const hub::ReadQuery& query);
  hub::BrokerToken remove_history(const std::string& channel);
  void attach(const std::string& channel, hub::FeedId feed = 1, Options options = with_history(10));

  // Ask, pump, and give the answer.
  hub::Published published(hub::PublishRecord record);
  hub::ReadPage page(const std::string& channel, const hub::ReadQuery& query);
  // Publishes "1", "2" ... up to `count` and pumps.
  void fill(const std::string& channel, int count, Options options);
  std::vector<std::string> take_lines();

 protected:
  std::unique_ptr<BrokerRig> rig_;
  BrokerLog log_;

 private:
  hub::BrokerToken last_token_ = 0;
};

class BrokerContract : public ::testing::TestWithParam<RigFactory>, protected BrokerClient {
 protected:
  BrokerContract() : BrokerClient(GetParam()()) {}
  void SetUp() override {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    const std::string_view why = rig_->lacks(std::string_view(test).substr(0, test.find('/')));
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

std::vector<uint64_t> offsets_of(const std::vector<hub::PublicationPtr>& publications);
// Names that share a slot, so that the epochs of their streams have to be kept apart.
std::vector<std::string> names_in_one_slot(size_t count);

}  // namespace parley::testing
