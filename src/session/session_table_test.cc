#include "session/session_table.h"

#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/session_fixture.h"

#ifdef __SANITIZE_ADDRESS__
namespace {
size_t allocations = 0;
}
// Called by the sanitizer's allocator.
extern "C" void __sanitizer_malloc_hook(const volatile void*, size_t) { ++allocations; }
#endif

namespace parley::session {
namespace {

using testing::FakeClient;
using testing::Script;

class SessionTableTest : public testing::SessionFixture {};

class SilentLink final : public TransportLink, public Framing {
 public:
  void frame(MessageType, Buffer&, size_t) const override {}
  const Framing& framing() const override { return *this; }
  void wake(bool) override {}
  void end(EndReason, const EndCode&) override {
    if (on_end) on_end();
  }
  void pause_input(bool) override {}
  std::function<void()> on_end;
};

TEST_F(SessionTableTest, SessionMayEndWhileItOpens) {
  script_.open = [](Effects& effects) { effects.end(EndReason::kUnauthorized); };
  auto& client = open();
  EXPECT_TRUE(client.session()->ended());
  world_.run();
  EXPECT_EQ(world_.table().size(), 0u);
  EXPECT_EQ(script_.alive, 0);
}

TEST_F(SessionTableTest, EndsAll) {
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(&open());
  for (FakeClient* client : clients) subscribe(*client, "a");
  world_.table().end_all(EndReason::kShutdown);
  world_.run();
  for (FakeClient* client : clients) {
    ASSERT_TRUE(client->ended());
    EXPECT_EQ(client->end_seen()->reason, EndReason::kShutdown);
  }
  EXPECT_EQ(world_.table().size(), 0u);
  EXPECT_EQ(script_.alive, 0);
}

TEST_F(SessionTableTest, TransportMayCloseAtOnceWhenItsSessionEnds) {
  SessionTable table(world_.hub(), world_.timers(), world_.ids(), world_.tokens(), {});
  SilentLink link;
  Session* session = nullptr;
  link.on_end = [&] { session->transport_closed(EndReason::kShutdown); };
  for (int i = 0; i < 3; ++i) {
    session = &table.open(std::make_unique<testing::ScriptedAdapter>(script_), link, Handshake{});
    table.end_all(EndReason::kShutdown);
    EXPECT_EQ(table.size(), 0u);
  }
  EXPECT_EQ(script_.alive, 3);
  table.begin_flush(true);
  EXPECT_EQ(script_.alive, 0);
}

TEST_F(SessionTableTest, DestroyedWithOpenSessions) {
  SilentLink link;
  script_.open = [](Effects& effects) {
    effects.subscribe({"a"}, {});
    effects.presence(1, "a", true);
    effects.set_timer(TimerId::kPing, seconds(1));
    effects.send("unsent");
  };
  {
    SessionTable table(world_.hub(), world_.timers(), world_.ids(), world_.tokens(), {});
    for (int i = 0; i < 5; ++i) {
      table.open(std::make_unique<testing::ScriptedAdapter>(script_), link, Handshake{});
      if (i == 2) world_.run();
    }
  }
  EXPECT_EQ(script_.alive, 0);
  EXPECT_EQ(script_.log.back(), "end shutdown");
  world_.advance(seconds(2));
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_F(SessionTableTest, ManyTurnsThatLeaveSomethingToFlush) {
  auto& client = open();
  Script& other_script = new_script();
  auto& other = open(other_script);
  subscribe(client, "a");
  subscribe(other, other_script, "a");
  world_.run();
  client.allow(0);
  for (int i = 1; i <= 300; ++i) {
    publish("a", std::to_string(i));
    world_.table().begin_flush(false);
    if (i % 7 == 0) client.allow(11);
    world_.run();
  }
  client.unblock();
  world_.run();
  for (FakeClient* reader : {&client, &other}) {
    const auto got = texts(*reader);
    ASSERT_EQ(got.size(), 300u);
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(got[i], "a:" + std::to_string(i + 1) + ":" + std::to_string(i + 1));
  }
}

#ifdef __SANITIZE_ADDRESS__
TEST_F(SessionTableTest, WarmFlushDoesNotAllocate) {
  struct Sink final : SliceSink {
    bool append(ByteView bytes) override {
      size += bytes.size();
      return true;
    }
    size_t size = 0;
  };
  std::vector<FakeClient*> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(&open());
    subscribe(*clients.back(), "shared");
    subscribe(*clients.back(), "own" + std::to_string(i));
  }
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 100; ++i) {
      publish("shared", "x");
      publish("own" + std::to_string(i), "y");
    }
    while (world_.hub().turn(world_.now()) == hub::Pace::kNow) {
    }
    for (size_t i = 0; i < 50; ++i) act(*clients[i], [](Effects& e) { e.send("reply"); });
    allocations = 0;
    world_.table().begin_flush(true);
    for (FakeClient* client : clients) {
      for (Sink sink; client->session()->has_output(); sink.size = 0) {
        client->session()->gather(sink);
        client->session()->consumed(sink.size);
      }
    }
    if (round == 3) {
      EXPECT_EQ(allocations, 0u);
    } else if (round == 0) {
      EXPECT_GT(allocations, 0u);
    }
  }
}
#endif

// Without adapter and transport. Sanitizers have an allocator of their own, so the sizes are added
// up as malloc() would round them.
TEST_F(SessionTableTest, IdleSessionIsSmall) {
  const auto block = [](size_t size) { return (size + 8 + 15) / 16 * 16; };
  constexpr size_t kPlace = 16;
  constexpr size_t kTableEntry = sizeof(void*);
  const size_t total =
      block(sizeof(Session)) + block(sizeof(hub::Subscription)) + block(kPlace) + kTableEntry;
  std::printf("Session %zu, Subscription %zu, idle with one subscription %zu bytes\n",
              sizeof(Session), sizeof(hub::Subscription), total);
  EXPECT_LE(total, 400u);
}

}  // namespace
}  // namespace parley::session
