#include "hub/publish_brake.h"

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::MetricDelta;
using BrakeStep = PublishBrake::Step;

class PublishBrakeTest : public ::testing::Test {
 protected:
  bool take(StepId step, size_t bytes = 10) {
    PublishBrake::Publish made{.who = {}, .step = step, .record = {}};
    made.record.publication = std::make_unique<Publication>();
    made.record.publication->data.assign(bytes, 'x');
    return brake_.take(std::move(made), now_);
  }
  // Those that go on after that time.
  std::string after(Duration time) {
    now_ += time;
    std::string out;
    while (const auto publish = brake_.next(now_)) out += std::to_string(publish->step) + " ";
    return out;
  }
  PublishBrake brake_{{.publishes = 4, .bytes = 10'000}};
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
  EXPECT_FALSE(take(1, 10'001));
  for (StepId step = 2; step < 6; ++step) EXPECT_TRUE(take(step));
  EXPECT_FALSE(take(6));
  EXPECT_EQ(full(), 2);
  EXPECT_EQ(after(milliseconds(100)), "2 3 4 5 ");
  EXPECT_TRUE(take(7, 9'000));
}

}  // namespace
}  // namespace parley::hub
