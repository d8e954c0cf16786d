// Readers for which publishers wait: who is told to the channel's home, and when.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochB;
using testing::make_publication;
using Kind = Backlog::Kind;

class BacklogTest : public LocalChannelsTest {
 protected:
  BacklogTest() {
    options_->overflow = {.policy = OverflowPolicy::kBlock,
                          .max_bytes = 3 * make_publication(10)->cost() + 16};
    options_->tail_bytes = 1 << 20;
  }
  // What home is told in this turn: "" nothing.
  std::string told(Duration after = milliseconds(1)) {
    now_ += after;
    home_.backlogs.clear();
    looks_again_ = local_.tell_backlogs(now_);
    std::string text;
    for (const Backlog& backlog : home_.backlogs) {
      text += backlog.kind == Kind::kNobody ? "nobody"
              : backlog.kind == Kind::kMany ? "many"
                                            : "one " + std::to_string(backlog.one.index);
    }
    return text;
  }
  void sweep() { local_.sweep(now_ += seconds(1)); }
  Subscription& subscribe_as(testing::FakeSubscriber& owner) {
    auto& made = *subscriptions_.emplace_back(
        std::make_unique<Subscription>(owner, static_cast<uint32_t>(subscriptions_.size())));
    local_.subscribe(made, key_, options_, {});
    local_.deliver_ready(100);
    return made;
  }
  bool looks_again_ = false;
};

TEST_F(BacklogTest, WhoIsBeyondTheLimitIsTold) {
  Subscription& reader = live();
  feed(11, 13);
  EXPECT_EQ(told(), "");
  EXPECT_FALSE(looks_again_);
  feed(14, 14);
  EXPECT_EQ(told(), "many");
  EXPECT_TRUE(looks_again_);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(drain(reader), "11 12 13 14") << "nothing is skipped";
  EXPECT_EQ(told(), "nobody");
  EXPECT_FALSE(looks_again_);
}

// Who keeps up is not looked at for each publication, but is noticed when it no longer does.
TEST_F(BacklogTest, WhoKeptUpForLongIsNoticedToo) {
  Subscription& quick = live();
  Subscription& slow = subscribe();
  local_.deliver_ready(100);
  for (uint64_t n = 11; n <= 30; ++n) {
    feed(n, n);
    drain(quick);
    drain(slow);
    EXPECT_EQ(told(), "");
  }
  for (uint64_t n = 31; n <= 33; ++n) {
    feed(n, n);
    drain(quick);
    EXPECT_EQ(told(), "");
  }
  feed(34, 34);
  drain(quick);
  EXPECT_EQ(told(), "many");
  drain(slow);
  EXPECT_EQ(told(), "nobody");
}

TEST_F(BacklogTest, ItIsSaidAgainWhileItIsSo) {
  live();
  feed(11, 15);
  EXPECT_EQ(told(), "many");
  EXPECT_EQ(told(milliseconds(499)), "");
  EXPECT_EQ(told(milliseconds(1)), "many");
}

TEST_F(BacklogTest, ItIsToldWhenThereIsRoom) {
  Subscription& reader = live();
  home_.room = false;
  feed(11, 15);
  EXPECT_EQ(told(), "");
  EXPECT_TRUE(looks_again_);
  home_.room = true;
  EXPECT_EQ(told(), "many");
  drain(reader);
  home_.room = false;
  EXPECT_EQ(told(), "");
  home_.room = true;
  EXPECT_EQ(told(), "nobody");
}

TEST_F(BacklogTest, WhoLeavesHoldsUpNobody) {
  Subscription& reader = live();
  feed(11, 15);
  EXPECT_EQ(told(), "many");
  local_.unsubscribe(reader, now_);
  EXPECT_EQ(told(), "nobody");
}

TEST_F(BacklogTest, OneThatPublishesIsNamed) {
  subscriber_.id = {.index = 4};
  Subscription& reader = live();
  Subscription& again = subscribe();
  local_.deliver_ready(100);
  testing::FakeSubscriber other;
  other.id = {.index = 5};
  Subscription& third = subscribe_as(other);
  feed(11, 15);
  EXPECT_EQ(told(), "many");
  drain(third);
  EXPECT_EQ(told(), "one 4");
  drain(reader);
  EXPECT_EQ(told(), "") << "it has another one";
  drain(again);
  EXPECT_EQ(told(), "nobody");
  feed(16, 20);
  drain(reader);
  drain(again);
  EXPECT_EQ(told(), "one 5");
  local_.unsubscribe(third, now_);
}

TEST_F(BacklogTest, WhoComesBackIsNotSlow) {
  live();
  feed(11, 20);
  drain(*subscriptions_[0]);
  told();
  Subscription& back = subscribe(resume(10));
  local_.deliver_ready(100);
  feed(21, 21);
  drain(*subscriptions_[0]);
  EXPECT_EQ(told(), "");
  drain(back);
  feed(22, 25);
  drain(*subscriptions_[0]);
  EXPECT_EQ(told(), "many") << "from then on it is like the others";
}

TEST_F(BacklogTest, WhoStandsBeforeAResetIsNotSlow) {
  live();
  feed(11, 15);
  EXPECT_EQ(told(), "many");
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_EQ(told(), "nobody");
}

TEST_F(BacklogTest, PatienceIsLostAndComesBack) {
  Subscription& reader = live();
  feed(11, 15);
  EXPECT_EQ(told(), "many");
  for (int i = 0; i < 29; ++i) sweep();
  EXPECT_EQ(told(), "many");
  sweep();
  EXPECT_EQ(told(), "nobody");
  feed(16, 20);
  EXPECT_EQ(told(), "");
  drain(reader);
  sweep();
  feed(21, 25);
  EXPECT_EQ(told(), "many");
}

// A reset takes the lines back to the beginning, so that for a while nobody is looked at.
TEST_F(BacklogTest, AResetBringsPatienceBack) {
  Subscription& reader = live();
  feed(11, 15);
  for (int i = 0; i < 30; ++i) sweep();
  EXPECT_EQ(told(), "");
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed");
  feed(3, 7, kEpochB);
  EXPECT_EQ(told(), "many") << "it has all that there was";
}

TEST_F(BacklogTest, WhoHasCaughtUpIsWaitedForAtOnce) {
  Subscription& reader = live();
  feed(11, 15);
  for (int i = 0; i < 30; ++i) sweep();
  drain(reader);
  feed(16, 20);
  EXPECT_EQ(told(), "many");
}

// It is beyond the limit whenever somebody looks, since publishers come as soon as they may.
TEST_F(BacklogTest, WhoReadsOnIsWaitedForHoweverOftenItIsBehind) {
  Subscription& reader = live();
  uint64_t top = 20;
  feed(11, top);
  EXPECT_EQ(told(), "many");
  for (int i = 0; i < 40; ++i) {
    sweep();
    reader.advance(top - 3);
    feed(top + 1, top + 10);
    top += 10;
    ASSERT_EQ(told(), "many") << "after " << i << " s";
  }
}

TEST_F(BacklogTest, ByTimeToo) {
  options_->overflow.max_delay = seconds(2);
  Subscription& reader = live();
  feed(11, 11);
  for (int i = 0; i < 2; ++i) sweep();
  EXPECT_EQ(told(), "");
  for (int i = 0; i < 2; ++i) sweep();
  EXPECT_EQ(told(), "many");
  drain(reader);
  EXPECT_EQ(told(), "nobody");
}

}  // namespace
}  // namespace parley::hub
