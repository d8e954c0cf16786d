// Many channels, a reader each, and little room for all of their tails together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/local_channels_fixture.h"

namespace parley::hub {

// Channels with a reader each, and room for `publications` in all of their tails together.
class OwedTest : public LocalChannelsTest {
 protected:
  void room_for(size_t publications) {
    budget_ = publications * kCost;
    channels_ = std::make_unique<LocalChannels>(home_, budget_);
  }
  // `limit`: how many publications a reader may be behind. Without a history.
  size_t open(OverflowPolicy policy, size_t limit = 1000, bool allow_delta = false) {
    auto options = std::make_shared<ChannelOptions>();
    options->overflow = {.policy = policy, .max_bytes = limit * kCost};
    options->tail_bytes = 4 * limit * kCost;
    options->allow_delta = allow_delta;
    channels_->subscribe(make(), {std::to_string(interests_.size())}, options, {});
    interests_.push_back(interest());
    channels_->on_followed(interest(), Attached{.epoch = testing::kEpochA, .base = 0, .top = 0});
    channels_->deliver_ready(1);
    return interests_.size() - 1;
  }
  ~OwedTest() override {
    for (auto& subscription : subscriptions_) channels_->unsubscribe(*subscription, now_);
    subscriptions_.clear();
  }
  void publish(size_t channel, uint64_t offset) {
    channels_->on_feed(interests_[channel], testing::make_publication(offset));
  }
  const Tail& tail(size_t channel) { return subscriptions_[channel]->channel()->tail(); }
  size_t bytes() {
    size_t sum = 0;
    for (size_t channel = 0; channel < interests_.size(); ++channel) sum += tail(channel).bytes();
    return sum;
  }
  // True: it is given all up to `offset` and asks nobody.
  bool reads_on_to(size_t channel, uint64_t offset) {
    Subscription& reader = *subscriptions_[channel];
    const Pull pull = channels_->pull(reader, false);
    if (pull.kind != Pull::Kind::kPublications ||
        pull.publications.front()->offset != reader.position() + 1 ||
        pull.publications.back()->offset < offset)
      return false;
    reader.advance(offset);
    return true;
  }
  // Two channels, of which the readers are a little behind now and then. True: they are served.
  bool others_are_served(size_t first, size_t second) {
    for (uint64_t offset = 1; offset <= 100; ++offset)
      for (const size_t channel : {first, second}) {
        publish(channel, offset);
        if (offset % 4 == 0 && !reads_on_to(channel, offset)) return false;
      }
    return true;
  }
  void sweep(int times = 1) {
    while (times-- > 0) channels_->sweep(now_ += seconds(1));
  }
  // What home was told last: somebody is too far behind.
  bool holds_up() {
    channels_->tell_backlogs(now_ += milliseconds(1));
    return !home_.backlogs.empty() && home_.backlogs.back().kind != Backlog::Kind::kNobody;
  }

  const size_t kCost = testing::make_publication(1000)->cost() + 8;
  size_t budget_ = 0;
  std::unique_ptr<LocalChannels> channels_;
  std::vector<InterestId> interests_;
};

}  // namespace parley::hub
