// Whom a shard sends away when there is too much of everything.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/metric_delta.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using testing::FakeClient;

class SheddingTest : public testing::SessionFixture {
 protected:
  // Does not read, while so many bytes wait for it.
  FakeClient& waiting(size_t bytes) {
    FakeClient& client = open();
    client.allow(0);
    act(client, [&](Effects& effects) { effects.send(std::string(bytes, 'x')); });
    world_.run();
    return client;
  }
};

TEST_F(SheddingTest, TheFattestAreEndedFirst) {
  FakeClient& middle = waiting(200'000);
  FakeClient& idle = open();
  FakeClient& fattest = waiting(900'000);
  FakeClient& thin = waiting(1'000);
  const testing::MetricDelta ended(R"(parley_session_limits_total{limit="memory"})");

  world_.table().end_fattest(1);
  EXPECT_TRUE(fattest.ended());
  EXPECT_EQ(fattest.end_seen()->reason, EndReason::kSlow);
  EXPECT_FALSE(middle.ended());

  world_.table().end_fattest(100);
  EXPECT_TRUE(middle.ended());
  EXPECT_FALSE(idle.ended());
  EXPECT_FALSE(thin.ended());
  EXPECT_EQ(ended(), 2);
}

// A second later their memory is still in use, and the next ones would be ended for it.
TEST_F(SheddingTest, ThoseThatAreOnTheirWayOutCount) {
  FakeClient& first = waiting(900'000);
  FakeClient& second = waiting(800'000);
  FakeClient& third = waiting(700'000);
  FakeClient& last = waiting(600'000);
  world_.table().end_fattest(2);
  EXPECT_TRUE(first.ended() && second.ended());
  for (int i = 0; i < 5; ++i) world_.table().end_fattest(2);
  EXPECT_FALSE(third.ended() || last.ended());
  world_.table().end_fattest(3);
  EXPECT_TRUE(third.ended());
  world_.run();  // they are closed
  EXPECT_EQ(world_.table().size(), 1u);
  world_.table().end_fattest(2);
  EXPECT_TRUE(last.ended());
}

TEST_F(SheddingTest, NobodyIsEndedWhereThereIsNobody) { world_.table().end_fattest(100); }

TEST_F(SheddingTest, SomeAreEndedInTheirTurn) {
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(&open());
  const auto left = [&] {
    return std::ranges::count_if(clients, [](const FakeClient* c) { return !c->ended(); });
  };
  world_.table().end_some(EndReason::kShutdown, 3);
  EXPECT_EQ(left(), 7);
  world_.table().end_some(EndReason::kShutdown, 0);
  EXPECT_EQ(left(), 7);
  world_.table().end_some(EndReason::kShutdown, 100);
  EXPECT_EQ(left(), 0);
}

}  // namespace
}  // namespace parley::session
