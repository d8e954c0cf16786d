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

// Buffers that were large for one go to the next: not to who does not read.
TEST_F(SheddingTest, WhoHasLittleIsNotEndedForWhatAnotherHad) {
  FakeClient& busy = open();
  FakeClient& slow = open();
  subscribe(slow, "a");
  slow.allow(0);
  publish("a", "x");
  world_.run();
  slow.allow(3);
  world_.run();  // the rest of a frame waits
  FakeClient& full = open();
  full.allow(0);
  const auto send = [&](FakeClient& client, size_t bytes) {
    act(client, [&](Effects& effects) { effects.send(std::string(bytes, 'x')); });
  };
  for (int i = 0; i < 2; ++i) {
    for (int k = 0; k < 900; ++k) send(busy, 1'000);
    world_.run();
    send(i == 0 ? full : slow, 4);
    world_.run();
  }
  EXPECT_LT(full.session()->waiting_bytes(), 16u * 1024);
  EXPECT_LT(slow.session()->waiting_bytes(), 16u * 1024);
  world_.table().end_fattest(100);
  EXPECT_FALSE(full.ended() || slow.ended());
  slow.unblock();
  full.unblock();
  world_.run();
  EXPECT_EQ(texts(full), std::vector<std::string>{"xxxx"});
  EXPECT_EQ(texts(slow).back(), "xxxx");
}

TEST_F(SheddingTest, WhatIsKeptForTheNextHasABound) {
  // Each held as much at a time, and then nothing.
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(&waiting(900'000));
  for (FakeClient* client : clients) client->unblock();
  world_.run();
  EXPECT_GT(world_.table().kept_bytes(), 900'000u);
  EXPECT_LE(world_.table().kept_bytes(), 4u << 20);
  // Taken again, and given back, it is still counted.
  for (int round = 0; round < 20; ++round) {
    act(*clients[0], [](Effects& effects) { effects.send("x"); });
    world_.run();
  }
  EXPECT_LE(world_.table().kept_bytes(), 4u << 20);
  EXPECT_GT(world_.table().kept_bytes(), 900'000u);
}

// Answers to many in one turn, which all take them at once.
TEST_F(SheddingTest, MoreBuffersThanAreKeptAreFreed) {
  const parley::testing::MetricDelta freed("parley_session_outboxes_freed_total");
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(&open());
  world_.run();
  const auto answer = [&](size_t count) {
    for (size_t i = 0; i < count; ++i)
      act(*clients[i], [](Effects& effects) { effects.send("x"); });
    world_.run();
  };
  answer(64);
  EXPECT_EQ(freed(), 0);
  answer(100);
  EXPECT_EQ(freed(), 36);
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
