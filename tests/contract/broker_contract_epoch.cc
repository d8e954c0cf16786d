// The contract of epochs: a position resumes only in the life it was taken in.
#include <random>

#include <gmock/gmock.h>

#include "tests/contract/broker_contract.h"

namespace parley::testing {

using ::testing::ElementsAre;

TEST_P(BrokerContract, ReadingAndAttachingDoNotChangeTheEpoch) {
  const hub::Epoch first = page("a", {}).epoch;
  EXPECT_TRUE(first.known());
  attach("a");
  pump();
  broker().detach({"a"});
  EXPECT_EQ(log_.attached["a"].epoch, first);
  EXPECT_EQ(page("a", {}).epoch, first);
}

TEST_P(BrokerContract, PositionOfAnEmptyChannelResumesAfterItsFirstPublish) {
  attach("a");
  pump();
  const hub::StreamPosition held{log_.attached["a"].epoch, log_.attached["a"].top};
  broker().detach({"a"});
  EXPECT_EQ(held.offset, 0u);
  fill("a", 2, with_history(10));
  const hub::ReadPage missed = page("a", {.since = held.offset, .limit = 10});
  EXPECT_EQ(missed.epoch, held.epoch);
  EXPECT_EQ(missed.base, 0u);
  EXPECT_THAT(offsets_of(missed.publications), ElementsAre(1, 2));
}

TEST_P(BrokerContract, IdleChannelIsForgottenAndItsPositionNeverMatchesAgain) {
  const auto options = with_history(10, seconds(60), seconds(120));
  const hub::StreamPosition held = published(record("a", "1", options)).position;
  if (!rig_->advance(seconds(121))) GTEST_SKIP() << "the rig has no clock to advance";
  pump();
  EXPECT_NE(page("a", {}).epoch, held.epoch);
  const hub::StreamPosition next = published(record("a", "2", options)).position;
  EXPECT_EQ(next.offset, held.offset);
  EXPECT_NE(next.epoch, held.epoch);
}

TEST_P(BrokerContract, AttachedChannelIsNotForgottenHoweverIdle) {
  const auto options = with_history(10, seconds(60), seconds(120));
  attach("a", 1, options);
  const hub::StreamPosition held = published(record("a", "1", options)).position;
  for (int i = 0; i < 10; ++i) {
    if (!rig_->advance(seconds(121))) GTEST_SKIP() << "the rig has no clock to advance";
    pump();
  }
  EXPECT_EQ(page("a", {}).epoch, held.epoch);
  EXPECT_EQ(page("a", {}).top, held.offset);
}

TEST_P(BrokerContract, EvictionChangesTheEpoch) {
  const hub::StreamPosition held = published(record("a", "1", with_history(10))).position;
  if (!rig_->squeeze()) GTEST_SKIP() << "the rig cannot evict";
  pump();
  const hub::ReadPage after = page("a", {.limit = 10});
  EXPECT_NE(after.epoch, held.epoch);
  EXPECT_EQ(after.top, 0u);
}

TEST_P(BrokerContract, AttachPinsTheEpochWhileNeighboursAreEvicted) {
  const auto names = names_in_one_slot(2);
  attach(names[0]);
  pump();
  const hub::Epoch pinned = log_.attached[names[0]].epoch;
  for (int i = 0; i < 3; ++i) {
    fill(names[1], 1, with_history(10));
    if (!rig_->squeeze()) GTEST_SKIP() << "the rig cannot evict";
    pump();
  }
  EXPECT_EQ(page(names[0], {}).epoch, pinned);
  EXPECT_EQ(published(record(names[0], "1", with_history(10))).position,
            (hub::StreamPosition{pinned, 1}));
}

namespace {

// Everything that was ever published to one channel, and the positions that readers took.
struct ModelChannel {
  struct Held {
    hub::StreamPosition position;
    size_t published;  // how much had been published when it was taken
  };
  std::string name;
  std::vector<std::string> published;
  std::vector<Held> held;
  std::optional<size_t> attached_at;  // index into `published`
};

std::vector<std::string> data_of(const std::vector<hub::PublicationPtr>& publications) {
  std::vector<std::string> data;
  for (const auto& publication : publications) data.push_back(publication->data);
  return data;
}

std::vector<std::string> from(const std::vector<std::string>& all, size_t index) {
  return {all.begin() + static_cast<ptrdiff_t>(index), all.end()};
}

// Random requests on a few channels of one slot. Whatever was expired, removed or evicted: a held
// position whose epoch matches and which is not below the base must get exactly what it missed.
class ResumeModel : public BrokerClient {
 public:
  ResumeModel(std::unique_ptr<BrokerRig> rig, uint32_t seed)
      : BrokerClient(std::move(rig)), random_(seed) {
    for (auto& name : names_in_one_slot(5)) channels_.push_back({.name = std::move(name)});
  }
  void live() {
    for (int step = 0; step < 250 && !::testing::Test::HasFailure(); ++step) act();
    for (ModelChannel& channel : channels_) check(channel);
  }
  size_t resumed() const { return resumed_; }

 private:
  uint32_t pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  void act() {
    ModelChannel& channel = channels_[pick(static_cast<uint32_t>(channels_.size()))];
    switch (pick(16)) {
      case 0:
        return toggle(channel);
      case 1:
        if (pick(4) == 0) remove_history(channel.name);
        return;
      case 2:
        rig_->advance(seconds(pick(4) == 0 ? 130 : 20));
        return pump();
      case 3:
        if (pick(4) == 0) rig_->squeeze();
        return;
      case 4:
      case 5:
      case 6:
        return check(channel);
      default:
        return send(channel);
    }
  }

  void send(ModelChannel& channel) {
    const auto options = with_history(pick(8) == 0 ? 0 : 1 + pick(12), seconds(60), seconds(120));
    auto message = record(channel.name, std::to_string(++sent_), options);
    message.publication->data.append(pick(6) == 0 ? 4000 : 0, '.');
    message.skip_history = pick(12) == 0;
    channel.published.push_back(message.publication->data);
    const size_t count = channel.published.size();
    const hub::BrokerToken token = publish(std::move(message));
    if (pick(2) == 0) return;  // leave it in the queue
    pump();
    channel.held.push_back({log_.published.at(token)->position, count});
  }

  void toggle(ModelChannel& channel) {
    if (channel.attached_at) {
      broker().detach({channel.name});
      channel.attached_at.reset();
      return;
    }
    pump();
    log_.feed.erase(channel.name);
    attach(channel.name, 1, with_history(10, seconds(60), seconds(120)));
    channel.attached_at = channel.published.size();
    pump();
    const hub::Attached& now = log_.attached[channel.name];
    channel.held.push_back({{now.epoch, now.top}, channel.published.size()});
  }

  void check(ModelChannel& channel) {
    const hub::ReadPage now = page(channel.name, {});
    if (channel.attached_at) {
      EXPECT_EQ(data_of(log_.feed[channel.name]), from(channel.published, *channel.attached_at));
      EXPECT_EQ(now.epoch, log_.attached[channel.name].epoch);
    }
    channel.held.push_back({{now.epoch, now.top}, channel.published.size()});
    for (const ModelChannel::Held& held : channel.held) resume(channel, held);
    if (channel.held.size() > 20)
      channel.held.erase(channel.held.begin() + pick(static_cast<uint32_t>(channel.held.size())));
  }

  void resume(const ModelChannel& channel, const ModelChannel::Held& held) {
    const hub::ReadPage got =
        page(channel.name, {.since = held.position.offset, .limit = UINT32_MAX});
    ASSERT_LE(got.base, got.top);
    if (got.epoch != held.position.epoch) return;
    ASSERT_GE(got.top, held.position.offset) << "a life that lacks what the reader has";
    const uint64_t start = std::max(got.base, held.position.offset);
    ASSERT_EQ(got.publications.size(), got.top - start) << "a hole in the history";
    const size_t missed = held.published + (start - held.position.offset);
    ASSERT_EQ(data_of(got.publications), from(channel.published, missed));
    if (start == held.position.offset) ++resumed_;
  }

  std::mt19937 random_;
  std::vector<ModelChannel> channels_;
  uint64_t sent_ = 0;
  size_t resumed_ = 0;
};

}  // namespace

TEST_P(BrokerContract, ResumeIsNeverWrong) {
  if (!broker().capabilities().contiguous_offsets) GTEST_SKIP();
  for (uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ResumeModel model(GetParam()(), seed);
    model.live();
    EXPECT_GT(model.resumed(), 20u) << "the model no longer tries anything";
  }
}

}  // namespace parley::testing
