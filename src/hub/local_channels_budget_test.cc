// All tails of a shard together: who gives when there is no room.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::make_publication;
using testing::MetricDelta;

// Channels with a reader each, and room for `publications` in all of their tails together.
class TailBudgetTest : public LocalChannelsTest {
 protected:
  void open(size_t channels, size_t publications) {
    auto options = std::make_shared<ChannelOptions>();
    options->tail_bytes = 1 << 20;
    channels_ =
        std::make_unique<LocalChannels>(home_, publications * (make_publication(1000)->cost() + 8));
    for (size_t i = 0; i < channels; ++i) {
      channels_->subscribe(make(), {std::to_string(i)}, options, {});
      interests_.push_back(interest());
      channels_->on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
    }
    channels_->deliver_ready(channels);
  }
  ~TailBudgetTest() override {
    for (auto& subscription : subscriptions_) channels_->unsubscribe(*subscription, now_);
    subscriptions_.clear();
  }
  void publish(size_t channel, uint64_t offset) {
    channels_->on_feed(interests_[channel], make_publication(offset));
  }
  // True: it is given all up to `offset` and asks nobody.
  bool reads_on_to(size_t channel, uint64_t offset) {
    Subscription& reader = *subscriptions_[channel];
    const Pull pull = channels_->pull(reader);
    if (pull.kind != Pull::Kind::kPublications ||
        pull.publications.front()->offset != reader.position() + 1 ||
        pull.publications.back()->offset != offset)
      return false;
    reader.advance(offset);
    return true;
  }

  std::unique_ptr<LocalChannels> channels_;
  std::vector<InterestId> interests_;
};

TEST_F(TailBudgetTest, WhoIsALittleBehindIsServedHoweverManyChannelsAreBusy) {
  const MetricDelta spared("parley_tails_spared_total");
  open(8, 64);
  // Eight for each; the readers are always two behind.
  for (uint64_t offset = 1; offset <= 200; ++offset)
    for (size_t channel = 0; channel < 8; ++channel) {
      publish(channel, offset);
      EXPECT_TRUE(offset % 2 == 1 || reads_on_to(channel, offset)) << channel << " " << offset;
    }
  EXPECT_GE(spared(), 8);
}

TEST_F(TailBudgetTest, ABusyChannelGivesBeforeAQuietOne) {
  open(3, 64);
  publish(0, 1);
  // Nobody needs what these two keep.
  for (uint64_t offset = 1; offset <= 500; ++offset)
    for (const size_t channel : {1, 2}) {
      publish(channel, offset);
      EXPECT_TRUE(reads_on_to(channel, offset));
    }
  EXPECT_TRUE(reads_on_to(0, 1));
}

}  // namespace
}  // namespace parley::hub
