// What sessions lend to be written together: docs/adr/0027-writes-together.md.
#include <random>
#include <string>
#include <vector>

#include "session/encode_cache.h"
#include "tests/support/session_fixture.h"
#include "tests/support/slices.h"

namespace parley::session {
namespace {

constexpr size_t kMost = 64 * 1024;

class SharedFlushTest : public testing::SessionFixture {
 protected:
  // Publishes, and leaves what follows to the test.
  void feed(const std::string& channel, std::string_view data) {
    publish(channel, data);
    world_.hub().turn(world_.now());
  }
  static ByteView lend(testing::FakeClient& client) {
    return client.session()->gather_shared(kMost);
  }
  static std::string lend_all(testing::FakeClient& client) {
    testing::Slices sink(SIZE_MAX);
    client.session()->gather(sink);
    client.session()->consumed(sink.bytes.size());
    return sink.bytes;
  }
};

TEST_F(SharedFlushTest, ReadersInOnePlaceAreLentTheSameBytes) {
  auto& one = open();
  auto& other = open();
  subscribe(one, "a");
  subscribe(other, "a");
  feed("a", "x");
  const ByteView first = lend(one);
  const ByteView second = lend(other);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first.data(), second.data());
  EXPECT_EQ(first, second);
  one.session()->consumed(first.size());
  other.session()->consumed(second.size());
  EXPECT_FALSE(one.session()->has_output());
  EXPECT_FALSE(other.session()->has_output());
}

TEST_F(SharedFlushTest, EachBooksWhatTheKernelTookOfIts) {
  std::vector<testing::FakeClient*> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(&open());
    subscribe(*clients.back(), "a");
  }
  feed("a", "one");
  feed("a", "two");
  std::vector<std::string> lent;
  for (auto* client : clients) lent.emplace_back(lend(*client));
  const size_t all = lent[0].size();
  const std::vector<size_t> taken{all, 3, 0, all / 2 + 1};
  for (size_t i = 0; i < clients.size(); ++i) clients[i]->session()->consumed(taken[i]);
  for (size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i]->session()->has_output(), taken[i] < all) << i;
    EXPECT_EQ(lent[i].substr(0, taken[i]) + lend_all(*clients[i]), lent[0]) << i;
  }
}

TEST_F(SharedFlushTest, ManyChannelsAreLentTogether) {
  std::vector<testing::FakeClient*> clients;
  std::vector<std::string> expected;
  std::vector<ByteView> lent;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(&open());
    subscribe(*clients.back(), "a" + std::to_string(i));
  }
  for (int i = 0; i < 40; ++i) feed("a" + std::to_string(i), std::string(2000, 'x'));
  for (auto* client : clients) {
    lent.push_back(lend(*client));
    expected.emplace_back(lent.back());
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(std::string(lent[i]), expected[i]) << i;
    clients[i]->session()->consumed(lent[i].size());
    EXPECT_FALSE(clients[i]->session()->has_output());
  }
}

// Its bytes would move, and others are being written from them.
TEST_F(SharedFlushTest, ARunThatWasLentDoesNotGrow) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.tail_bytes = 1 << 20;
  world_.rules().set("a", options);
  auto& behind = open();
  auto& ahead = open();
  subscribe(behind, "a");
  subscribe(ahead, "a");
  behind.allow(0);
  for (int i = 0; i < 3; ++i) publish("a", std::string(EncodeCache::kWindow / 2 - 1000, 'x'));
  world_.run();
  ASSERT_FALSE(ahead.session()->has_output());
  // What it was lent before is over: a run is started where it stands.
  world_.table().begin_flush(true);
  feed("a", "new");
  const ByteView lent = behind.session()->gather_shared(SIZE_MAX);
  const std::string before(lent);
  ASSERT_FALSE(lent.empty());
  EXPECT_TRUE(lend(ahead).empty());
  EXPECT_EQ(std::string(lent), before);
  behind.session()->consumed(lent.size());
  EXPECT_TRUE(lend_all(ahead).ends_with("new"));
}

// A crowd on two channels whose lines take parts and nothing at all at times.
TEST_F(SharedFlushTest, EachOfACrowdIsSentAllOfItsChannelInOrder) {
  constexpr size_t kCrowd = 24;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto chance = [&](unsigned of) { return random() % of == 0; };
    testing::SessionWorld world;
    std::vector<testing::FakeClient*> crowd;
    std::vector<std::vector<std::string>> expected(2);
    const std::vector<std::string> channels{"a", "b"};
    world.write_together(1 + random() % 33);
    for (size_t i = 0; i < kCrowd; ++i) {
      crowd.push_back(
          &world.open(std::make_unique<testing::ScriptedAdapter>(script_), {.path = "/"}));
      act(*crowd[i], [&](Effects& effects) { effects.subscribe({channels[i % 2]}, {}); });
    }
    world.run();
    for (auto* client : crowd) client->take();
    for (int step = 0; step < 60; ++step) {
      for (size_t c = 0; c < 2; ++c) {
        if (chance(2)) continue;
        const std::string data = std::to_string(step) + std::string(random() % 300, 'x');
        expected[c].push_back(channels[c] + ":" + std::to_string(expected[c].size() + 1) + ":" +
                              data);
        world.publish_later(channels[c], testing::json(data));
      }
      for (auto* client : crowd)
        if (chance(6)) chance(2) ? client->unblock() : client->allow(random() % 500);
      if (chance(5))
        act(*crowd[random() % kCrowd], [](Effects& effects) { effects.send_urgent("ping"); });
      world.run();
    }
    for (auto* client : crowd) client->unblock();
    world.run();
    for (size_t i = 0; i < kCrowd; ++i) {
      auto all = texts(*crowd[i]);
      std::erase(all, "ping");
      EXPECT_EQ(all, expected[i % 2]) << i;
    }
  }
}

TEST_F(SharedFlushTest, MoreThanMayBeWrittenAtOnceIsNotLent) {
  auto& client = open();
  subscribe(client, "a");
  feed("a", std::string(500, 'x'));
  EXPECT_TRUE(client.session()->gather_shared(500).empty());
  EXPECT_FALSE(client.session()->gather_shared(600).empty());
  client.session()->consumed(0);
}

TEST_F(SharedFlushTest, OnlyWhatStandsAloneIsLent) {
  auto& client = open();
  EXPECT_TRUE(lend(client).empty());  // nothing
  subscribe(client, "a");
  subscribe(client, "b");
  feed("a", "x");
  act(client, [](Effects& effects) { effects.send("reply"); });
  EXPECT_TRUE(lend(client).empty());  // a reply goes first
  lend_all(client);
  feed("a", "x");
  feed("b", "x");
  EXPECT_TRUE(lend(client).empty());  // two of its channels
  lend_all(client);
  feed("a", "x");
  client.allow(0);
  const ByteView lent = lend(client);
  ASSERT_FALSE(lent.empty());
  client.session()->consumed(2);
  EXPECT_TRUE(lend(client).empty());  // the rest of a frame
}

// What once could not be written at all, and then was, is not waited for any more.
TEST_F(SharedFlushTest, WhoTookNothingAndThenAllIsNotSlow) {
  auto& client = open();
  subscribe(client, "a");
  client.allow(0);
  publish("a", "x");
  world_.run();
  client.unblock();
  world_.run();
  EXPECT_FALSE(client.session()->has_output());
  world_.advance(seconds(60));
  EXPECT_FALSE(client.ended());
}

// Whose channel drops what it is behind by is asked how far behind that is, once it was slow.
TEST_F(SharedFlushTest, WhoIsSlowInAChannelThatDropsIsNotLent) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.overflow.policy = hub::OverflowPolicy::kDropOldest;
  world_.rules().set("a", options);
  auto& client = open();
  subscribe(client, "a");
  feed("a", "x");
  const ByteView lent = lend(client);
  ASSERT_FALSE(lent.empty());
  client.session()->consumed(0);
  EXPECT_TRUE(lend(client).empty());
  EXPECT_FALSE(lend_all(client).empty());
  feed("a", "y");
  EXPECT_FALSE(lend(client).empty());
  client.session()->consumed(0);
}

// One place in one channel, but other borders of messages, or another encoding.
TEST_F(SharedFlushTest, EachIsLentItsOwnFramingAndDialect) {
  struct Framing2 final : Framing {
    void frame(MessageType, Buffer& out, size_t) const override { out.append("\n"); }
  };
  struct Link final : TransportLink {
    const Framing& framing() const override { return own; }
    void wake(bool) override {}
    void end(EndReason, const EndCode&) override {}
    void pause_input(bool) override {}
    Framing2 own;
  } lines, others;
  script_.open = [](Effects& effects) { effects.subscribe({"a"}, {}); };
  auto open_on = [&](Link& link) -> Session& {
    return world_.table().open(std::make_unique<testing::ScriptedAdapter>(script_), link,
                               Handshake{});
  };
  Session& first = open_on(lines);
  Session& second = open_on(others);
  world_.run();
  feed("a", "x");
  const ByteView one = first.gather_shared(kMost);
  const ByteView two = second.gather_shared(kMost);
  EXPECT_EQ(one, "a:1:x\n");
  EXPECT_EQ(two, "a:1:x\n");
  EXPECT_NE(one.data(), two.data());
  first.consumed(one.size());
  second.consumed(two.size());
  first.transport_closed(EndReason::kTransportLost);
  second.transport_closed(EndReason::kTransportLost);
}

TEST_F(SharedFlushTest, WhatWasNeverReportedIsForgottenByTheNextTurn) {
  auto& gone = open();
  auto& next = open();
  subscribe(gone, "a");
  subscribe(next, "a");
  feed("a", "x");
  ASSERT_FALSE(lend(gone).empty());
  world_.table().begin_flush(true);
  const ByteView lent = lend(next);
  ASSERT_FALSE(lent.empty());
  next.session()->consumed(lent.size());
  EXPECT_FALSE(next.session()->has_output());
  EXPECT_TRUE(gone.session()->has_output());
}

}  // namespace
}  // namespace parley::session
