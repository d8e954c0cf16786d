// How often one connection may ask.
#include "tests/support/centrifuge_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::adapter::centrifuge {
namespace {

class RateTest : public CentrifugeTest {
 protected:
  explicit RateTest(Options options = {.commands = {.per_second = 10}})
      : CentrifugeTest(std::move(options)) {}
  // How many of n were not refused.
  int answered(FakeClient& client, int n, const std::string& command) {
    int count = 0;
    for (int i = 0; i < n; ++i)
      for (const std::string& reply : ask(client, R"({"id":)" + std::to_string(++id_) + command))
        count += reply.find(R"("error":{"code":111,)") == std::string::npos ? 1 : 0;
    return count;
  }
  static constexpr char kPresence[] = R"(,"presence_stats":{"channel":"a"}})";
  static constexpr char kPublish[] = R"(,"publish":{"channel":"a","data":{}}})";
  int id_ = 1;
};

TEST_F(RateTest, CommandsAboveItAreRefused) {
  FakeClient& client = connect();
  const testing::MetricDelta refused(R"(parley_centrifuge_commands_refused_total{code="111"})");
  EXPECT_EQ(answered(client, 100, kPresence), 10);
  EXPECT_EQ(refused(), 90);
  world.advance(seconds(1));
  EXPECT_EQ(answered(client, 100, kPresence), 10);
}

TEST_F(RateTest, NeighboursAreNotTouched) {
  FakeClient& greedy = connect();
  FakeClient& other = connect();
  EXPECT_EQ(answered(greedy, 100, kPresence), 10);
  EXPECT_EQ(answered(other, 10, kPresence), 10);
}

class PublishRateTest : public RateTest {
 protected:
  PublishRateTest() : RateTest({.publishes = {.per_second = 3}}) {}
};

TEST_F(PublishRateTest, PublishesHaveARateOfTheirOwn) {
  FakeClient& client = connect();
  EXPECT_EQ(answered(client, 20, kPublish), 3);
  EXPECT_EQ(answered(client, 20, kPresence), 20);
}

class LatePublisherTest : public RateTest {
 protected:
  LatePublisherTest() : RateTest({.refusals = {.per_second = 5}}) {}
};

// It sends faster than it is served, which is nobody's rate.
TEST_F(LatePublisherTest, ItsPublishesAreRefusedAndNothingElse) {
  FakeClient& client = connect();
  client.session()->note_input_lag(0, 1'000, {});
  EXPECT_EQ(answered(client, 10, kPublish), 10);
  client.session()->note_input_lag(1'000'000, 1'000, seconds(1));
  EXPECT_EQ(answered(client, 100, kPublish), 0);
  EXPECT_EQ(answered(client, 10, kPresence), 10);
  EXPECT_FALSE(client.ended()) << "and is not disconnected for it";
  client.session()->note_input_lag(0, 0, {});
  world.advance(milliseconds(100));
  EXPECT_EQ(answered(client, 10, kPublish), 10);
}

}  // namespace
}  // namespace parley::adapter::centrifuge
