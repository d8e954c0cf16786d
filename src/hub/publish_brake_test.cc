#include "hub/publish_brake.h"

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::MetricDelta;
using BrakeStep = PublishBrake::Step;

class PublishBrakeTest : public ::testing::Test {
 protected:
  bool take(StepId step, size_t bytes = 10, RequesterRole role = RequesterRole::kManyClients,
            uint32_t who = 7) {
    PublishBrake::Publish made{.who = {who, 0}, .step = step, .record = {}, .role = role};
    made.record.publication = std::make_unique<Publication>();
    made.record.publication->data.assign(bytes, 'x');
    return brake_.take(std::move(made), now_);
  }
  // Those that go on after that time.
  std::string after(Duration time) {
    now_ += time;
    brake_.begin_turn();
    std::string out;
    while (const auto publish = brake_.next(now_)) out += std::to_string(publish->step) + " ";
    return out;
  }
  PublishBrake brake_{{.publishes = 16, .bytes = 40'000}};
  Time now_{seconds(10)};
};

TEST_F(PublishBrakeTest, IsOffAtFirst) { EXPECT_FALSE(brake_.engaged()); }

TEST_F(PublishBrakeTest, DelaysInOrder) {
  const MetricDelta slowed(R"(parley_publishes_braked_total{outcome="slowed"})");
  brake_.set(BrakeStep::kSlow);
  EXPECT_TRUE(brake_.engaged());
  EXPECT_TRUE(take(1));
  EXPECT_EQ(after(milliseconds(50)), "");
  EXPECT_TRUE(take(2));
  EXPECT_EQ(after(milliseconds(49)), "");
  EXPECT_EQ(after(milliseconds(1)), "1 ");
  EXPECT_EQ(after(milliseconds(50)), "2 ");
  EXPECT_EQ(slowed(), 2);
}

TEST_F(PublishBrakeTest, LetsAllGoWhenItIsOver) {
  brake_.set(BrakeStep::kSlow);
  take(1);
  brake_.set(BrakeStep::kOff);
  EXPECT_TRUE(brake_.engaged()) << "a later one must not overtake";
  take(2);
  EXPECT_EQ(after({}), "1 2 ");
  EXPECT_FALSE(brake_.engaged());
}

TEST_F(PublishBrakeTest, RefusesWhatIsNew) {
  const MetricDelta refused(R"(parley_publishes_braked_total{outcome="refused"})");
  brake_.set(BrakeStep::kSlow);
  take(1);
  brake_.set(BrakeStep::kRefuse);
  EXPECT_FALSE(take(2));
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(after(milliseconds(100)), "1 ");
}

TEST_F(PublishBrakeTest, IsBounded) {
  const MetricDelta full(R"(parley_publishes_braked_total{outcome="no_room"})");
  brake_.set(BrakeStep::kSlow);
  EXPECT_FALSE(take(1, 40'001));
  for (StepId step = 1; step <= 14; ++step) EXPECT_TRUE(take(step));
  EXPECT_FALSE(take(15));
  EXPECT_EQ(full(), 2);
  EXPECT_EQ(after(milliseconds(100)), "1 2 ");
  EXPECT_TRUE(take(16, 9'000));
}

TEST_F(PublishBrakeTest, KeepsSomeRoomForTheOperator) {
  brake_.set(BrakeStep::kSlow);
  for (StepId step = 1; step <= 14; ++step) EXPECT_TRUE(take(step));
  EXPECT_TRUE(take(15, 10, RequesterRole::kOperator));
  EXPECT_TRUE(take(16, 10, RequesterRole::kOperator));
  EXPECT_FALSE(take(17, 10, RequesterRole::kOperator));
}

TEST_F(PublishBrakeTest, OneClientDoesNotTakeAll) {
  brake_.set(BrakeStep::kSlow);
  const auto of = [&](uint32_t who, StepId step, size_t bytes = 10) {
    return take(step, bytes, RequesterRole::kClient, who);
  };
  EXPECT_TRUE(of(1, 1));
  EXPECT_TRUE(of(1, 2));
  EXPECT_FALSE(of(1, 3));
  EXPECT_TRUE(of(2, 4, 20'000)) << "its first, however large";
  EXPECT_FALSE(of(2, 5));
  EXPECT_EQ(after(milliseconds(100)), "1 2 ");
  EXPECT_TRUE(of(1, 6));
}

// At once they would be more than readers can take.
TEST_F(PublishBrakeTest, LetsThemGoInPortions) {
  brake_.set(BrakeStep::kSlow);
  for (StepId step = 1; step <= 3; ++step) take(step);
  take(4, 6'000);
  take(5);
  brake_.set(BrakeStep::kOff);
  EXPECT_EQ(after({}), "1 2 ");
  EXPECT_EQ(after({}), "3 ");
  EXPECT_EQ(after({}), "4 ");
  EXPECT_EQ(after({}), "5 ");
}

TEST_F(PublishBrakeTest, WhatIsTakenBackDoesNotGoOnAndLeavesItsPlace) {
  brake_.set(BrakeStep::kSlow);
  EXPECT_TRUE(take(1, 10, RequesterRole::kClient, 7));
  EXPECT_TRUE(take(2, 10, RequesterRole::kClient, 7));
  EXPECT_FALSE(take(3, 10, RequesterRole::kClient, 7));
  EXPECT_TRUE(take(4, 10, RequesterRole::kClient, 8));
  std::string refused;
  brake_.withdraw([](const PublishBrake::Publish& publish) { return publish.who.index == 7; },
                  [&](RequesterId, StepId step) { refused += std::to_string(step) + " "; });
  EXPECT_EQ(refused, "1 2 ");
  EXPECT_TRUE(take(5, 10, RequesterRole::kClient, 7));
  EXPECT_EQ(after(milliseconds(100)), "4 5 ");
}

}  // namespace
}  // namespace parley::hub
