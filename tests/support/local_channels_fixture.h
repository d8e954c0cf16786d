// Local channels with a home that the test plays.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/local_channels.h"
#include "tests/support/hub_fakes.h"

namespace parley::hub {

// Notes what the channels ask of their homes.
struct FakeHome final : LocalChannels::Home {
  struct Read {
    InterestId interest;
    ReadQuery query;
  };
  std::vector<std::pair<ChannelKey, InterestId>> follows;
  std::vector<Read> reads;
  std::vector<InterestId> drops;
  std::vector<Backlog> backlogs;
  bool room = true;
  void follow(const ChannelKey& channel, InterestId interest) override {
    follows.emplace_back(channel, interest);
  }
  void read_page(const ChannelKey&, InterestId interest, const ReadQuery& query) override {
    reads.push_back({interest, query});
  }
  bool drop_interest(const ChannelKey&, InterestId interest) override {
    if (room) drops.push_back(interest);
    return room;
  }
  bool tell_backlog(const ChannelKey&, InterestId, const Backlog& backlog) override {
    if (room) backlogs.push_back(backlog);
    return room;
  }
};

class LocalChannelsTest : public ::testing::Test {
 protected:
  LocalChannelsTest() {
    options_ = std::make_shared<ChannelOptions>();
    options_->history_size = 100;
    options_->history_ttl = seconds(60);
    // Room for three publications.
    options_->tail_bytes = 3 * testing::make_publication(1)->cost() + 16;
  }
  ~LocalChannelsTest() override {
    for (auto& subscription : subscriptions_) local_.unsubscribe(*subscription, now_);
  }

  Subscription& make() {
    return *subscriptions_.emplace_back(
        std::make_unique<Subscription>(subscriber_, static_cast<uint32_t>(subscriptions_.size())));
  }
  Subscription& subscribe(Start start = {}) {
    Subscription& made = make();
    local_.subscribe(made, key_, options_, std::move(start));
    return made;
  }
  static Start recover(uint64_t offset, Epoch epoch = testing::kEpochA, uint32_t limit = 1000) {
    return {Start::Kind::kRecover, StreamPosition{epoch, offset}, limit};
  }
  static Start resume(uint64_t offset, Epoch epoch = testing::kEpochA) {
    return {Start::Kind::kResume, StreamPosition{epoch, offset}};
  }
  InterestId interest() const { return home_.follows.back().second; }
  void attached(uint64_t top, Epoch epoch = testing::kEpochA) {
    local_.on_followed(interest(), Attached{.epoch = epoch, .base = 0, .top = top});
    local_.deliver_ready(100);
  }
  // A channel attached at `top`, with one live reader there.
  Subscription& live(uint64_t top = 10) {
    Subscription& made = subscribe();
    attached(top);
    subscriber_.answers.clear();
    return made;
  }
  void feed(uint64_t first, uint64_t last, Epoch epoch = testing::kEpochA) {
    for (auto& publication : testing::make_run(first, last, epoch))
      local_.on_feed(interest(), publication);
  }
  void page(ReadPage page) {
    local_.on_page(interest(), std::move(page));
    local_.deliver_ready(100);
  }
  const Subscribed& answer() {
    EXPECT_EQ(subscriber_.answers.size(), 1u);
    return subscriber_.answers.at(0).result.value();
  }
  // Pulls everything there is now: offsets, and gaps as "from-to:reason".
  std::string drain(Subscription& subscription) {
    std::string out;
    subscription.dirty = false;
    for (;;) {
      const Pull pull = local_.pull(subscription);
      if (!out.empty() && pull.kind != Pull::Kind::kNothing) out += ' ';
      switch (pull.kind) {
        case Pull::Kind::kNothing:
          return out;
        case Pull::Kind::kWaiting:
          return out + "waiting";
        case Pull::Kind::kGap:
          out += std::to_string(pull.gap.from) + "-" + std::to_string(pull.gap.to) + ":" +
                 std::string(to_string(pull.gap.reason));
          break;
        case Pull::Kind::kPublications:
          for (const auto& p : pull.publications) {
            if (p != pull.publications.front()) out += ' ';
            out += std::to_string(p->offset);
          }
          subscription.advance(pull.publications.back()->offset);
      }
    }
  }
  std::string waiting_then(Subscription& subscription, ReadPage next) {
    EXPECT_EQ(drain(subscription), "waiting");
    page(std::move(next));
    return drain(subscription);
  }

  FakeHome home_;
  LocalChannels local_{home_};
  testing::FakeSubscriber subscriber_;
  std::shared_ptr<ChannelOptions> options_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  ChannelKey key_{"news"};
  Time now_{seconds(100)};
};

}  // namespace parley::hub
