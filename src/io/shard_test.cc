#include "io/shard.h"

#include <future>

#include <sys/resource.h>

#include "io/loopback_testing.h"
#include "io/meters.h"
#include "io/worker.h"
#include "tests/support/metric_delta.h"

namespace parley::io::testing {
namespace {

using parley::testing::MetricDelta;

class ShardTest : public LoopbackTest {};

TEST_F(ShardTest, TimerWakesTheLoop) {
  const Time start = std::chrono::steady_clock::now();
  bool fired = false;
  CallbackTimer timer([&](const Now&) { fired = true; });
  shard->timers().schedule(timer, start + milliseconds(30));
  while (!fired) shard->turn(seconds(20));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(15));
}

TEST_F(ShardTest, HooksRunInOrderAndKeepTheLoopAwake) {
  struct Hook final : TurnHook {
    Hook(std::string& log, char name) : log_(log), name_(name) {}
    void on_turn(const Now&) override { log_ += name_; }
    void on_turn_end() override { log_ += '.'; }
    bool has_work() const override { return work; }
    bool work = false;
    std::string& log_;
    char name_;
  };
  std::string log;
  Hook a(log, 'a'), b(log, 'b');
  shard->add_hook(a);
  shard->add_hook(b);
  shard->turn(milliseconds(0));
  EXPECT_EQ(log, "ab....");
  b.work = true;
  shard->turn(seconds(600));  // returns at once
}

TEST_F(ShardTest, CountsStalls) {
  std::vector<Duration> stalls;
  ShardOptions options;
  options.stall_limit = Duration(1);
  options.on_stall = [&](Duration took) { stalls.push_back(took); };
  start(std::move(options));
  const int64_t before = meters::stalls.value();
  shard->turn(milliseconds(0));
  EXPECT_EQ(stalls.size(), 1u);
  EXPECT_EQ(meters::stalls.value(), before + 1);
}

TEST_F(ShardTest, CountsTurnsThatEverybodyNotices) {
  start({});
  const MetricDelta over_10(R"(parley_io_long_turns_total{over="10ms"})");
  const MetricDelta over_50(R"(parley_io_long_turns_total{over="50ms"})");
  const auto work_for = [this](Duration time) {
    const Time end = std::chrono::steady_clock::now() + time;
    ASSERT_TRUE(shard->post([end] {
      while (std::chrono::steady_clock::now() < end) {
      }
    }));
    shard->turn(milliseconds(0));
  };
  work_for(milliseconds(11));
  EXPECT_EQ(over_10(), 1);
  work_for(milliseconds(51));
  EXPECT_EQ(over_10(), 2);
  EXPECT_GE(over_50(), 1);
}

TEST_F(ShardTest, PostsAreBoundedAndRunInOrder) {
  ShardOptions options;
  options.post_capacity = 3;
  options.posts_per_turn = 2;
  start(std::move(options));
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    ASSERT_TRUE(shard->post([&order, name] { order += name; }));
  }
  const MetricDelta full(R"(parley_io_inbox_full_total{queue="post"})");
  Task refused = [&order] { order += 'd'; };
  EXPECT_FALSE(shard->post(std::move(refused)));
  EXPECT_EQ(full(), 1);
  EXPECT_TRUE(static_cast<bool>(refused));
  EXPECT_TRUE(shard->post_reserved([&order] { order += 'r'; }));
  shard->turn(seconds(600));
  EXPECT_EQ(order, "ab");
  shard->turn(seconds(600));
  EXPECT_EQ(order, "abcr");
}

TEST_F(ShardTest, StopClosesEverythingAndRefusesPosts) {
  const auto client = connect();
  const auto other = connect();
  records[0]->on_input = [this](std::span<char>) { shard->request_stop(); };
  client->send("stop");
  shard->run();
  affinity::set_current(0);
  for (const auto& record : records) {
    EXPECT_EQ(record->closed, std::vector<CloseReason>{CloseReason::kShutdown});
  }
  EXPECT_FALSE(shard->post([] {}));
  other->receive();
  EXPECT_TRUE(other->ended);
}

TEST_F(ShardTest, ListenersCanBeClosedFromAnywhere) {
  prepare = [this](Record&) { shard->close_listeners(); };
  const auto client = connect();
  shard->turn(milliseconds(0));
  sockaddr_storage storage;
  const socklen_t length = address.to_sockaddr(storage);
  const UniqueFd late(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_NE(::connect(late.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  EXPECT_EQ(errno, ECONNREFUSED);
  EXPECT_EQ(shard->open_sockets(), 1u);
}

TEST_F(ShardTest, RefusedConnectionIsClosed) {
  auto listeners = loopback_listeners(1);
  const Address where = listeners[0].address;
  shard->listen(std::move(listeners[0]), [](const PeerAddress&) { return nullptr; });
  Client client(where);
  ASSERT_TRUE(pump([&] { return client.receive(), client.ended; }));
  EXPECT_EQ(shard->open_sockets(), 0u);
}

// Out of descriptors: one failed accept per pause, not one per turn, and recovery afterwards.
TEST_F(ShardTest, OutOfDescriptorsDoesNotSpin) {
  start({}, {}, {.pause = milliseconds(100)});
  // UBSan needs a descriptor when it meets a dynamic type for the first time, so it meets all of
  // them before there are none.
  log::configure(log::Level::kOff, log::Format::kConsole);
  bool fired = false;
  CallbackTimer timer([&fired](const Now&) { fired = true; });
  shard->timers().schedule(timer, shard->now().mono);
  const auto first = connect();
  ASSERT_TRUE(pump([&] { return fired; }));
  EXPECT_NE(address.to_string(), "");

  Client waiting(address);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const MetricDelta errors(R"(parley_io_accept_errors_total{reason="resources"})");
  {
    const UniqueFd lowest_free(::dup(0));
    const rlimit none{static_cast<rlim_t>(lowest_free.get()), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  shard->turn(seconds(20));
  EXPECT_EQ(errors(), 1);
  const Time start = std::chrono::steady_clock::now();
  shard->turn(seconds(20));  // sleeps until accepting is tried again
  EXPECT_GT(std::chrono::steady_clock::now() - start, milliseconds(50));
  EXPECT_EQ(records.size(), 1u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(pump([&] { return records.size() == 2; }));
  EXPECT_LE(errors(), 3);
  log::configure(log::Level::kInfo, log::Format::kConsole);
}

// Files of our own can still be opened when clients have all that they may have.
TEST_F(ShardTest, AClientWithoutADescriptorIsToldSoAndTheOthersStay) {
  auto listeners = loopback_listeners(1);
  const Address where = listeners[0].address;
  // One for each end of the first connection.
  const int enough = UniqueFd(::dup(0)).get() + 2;
  bool taken = false;
  const auto take = [&taken](const PeerAddress&) {
    taken = true;
    return std::make_unique<RecordingHandler>(std::make_shared<Record>());
  };
  shard->listen(std::move(listeners[0]), take, {.client_descriptors = enough, .refusal = "full"});
  const MetricDelta full(R"(parley_io_accept_errors_total{reason="full"})");
  Client first(where);
  ASSERT_TRUE(pump([&] { return taken; }));
  for (int i = 0; i < 100; ++i) {
    Client late(where);
    late.send("a request that nobody will read");
    ASSERT_TRUE(pump([&] { return late.receive(), late.ended || late.reset; }));
    EXPECT_EQ(late.received, "full");
    EXPECT_FALSE(late.reset);
  }
  EXPECT_EQ(full(), 100);
  EXPECT_EQ(shard->open_sockets(), 1u);
  first.close();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  taken = false;
  const Client again(where);
  EXPECT_TRUE(pump([&] { return taken; }));
}

// After a break in the network all come back while what they had is still to be closed.
TEST_F(ShardTest, WhatIsClosingMakesRoomForThoseWhoComeBack) {
  constexpr size_t kClients = 100;
  ShardOptions slow;
  slow.loop.part_time = Duration(0);  // a few sockets a turn
  start(std::move(slow));
  auto listeners = loopback_listeners(1);
  const Address where = listeners[0].address;
  // For both ends of all, and a few that were open before.
  const int enough = UniqueFd(::dup(0)).get() + 2 * static_cast<int>(kClients) + 16;
  size_t taken = 0;
  const auto take = [&taken](const PeerAddress&) {
    ++taken;
    return std::make_unique<RecordingHandler>(std::make_shared<Record>());
  };
  shard->listen(std::move(listeners[0]), take, {.client_descriptors = enough, .refusal = "full"});
  std::vector<std::unique_ptr<Client>> clients;
  const auto all_come = [&] {
    for (size_t i = 0; i < kClients; ++i) clients.push_back(std::make_unique<Client>(where));
  };
  all_come();
  ASSERT_TRUE(pump([&] { return taken == kClients; }));
  const MetricDelta full(R"(parley_io_accept_errors_total{reason="full"})");
  const MetricDelta waited("parley_io_accept_waits_total");
  for (const auto& client : clients) client->break_off();
  clients.clear();
  all_come();
  ASSERT_TRUE(pump([&] { return taken + static_cast<size_t>(full()) == 2 * kClients; }));
  EXPECT_EQ(full(), 0);
  EXPECT_GT(waited(), 0);
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == kClients; }));
}

// However many sockets have become ready before it, a listener with a backlog has its say in each
// turn.
TEST_F(ShardTest, ManyReadySocketsDoNotKeepNewcomersWaiting) {
  constexpr size_t kOthers = 1100;  // more than the kernel is asked for at once, twice
  start({}, {}, {.per_turn = 1});
  std::vector<std::unique_ptr<Client>> others;
  for (size_t i = 0; i < kOthers; ++i) others.push_back(connect());
  const auto all_send = [&] {
    for (const auto& other : others) other->send("x");
  };
  for (int i = 0; i < 5; ++i) shard->turn(milliseconds(0));
  all_send();
  std::vector<std::unique_ptr<Client>> newcomers;
  for (size_t i = 0; i < 3; ++i) newcomers.push_back(std::make_unique<Client>(address));
  for (int i = 0; i < 2; ++i) shard->turn(milliseconds(0));
  EXPECT_EQ(records.size(), kOthers);
  all_send();
  for (size_t taken = 1; taken <= 3; ++taken) {
    shard->turn(milliseconds(0));
    EXPECT_EQ(records.size(), kOthers + taken);
  }
}

TEST(FdLimit, IsRaisedToTheHardLimit) {
  rlimit limit{};
  const size_t now = raise_fd_limit();
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(now, limit.rlim_cur);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
}

TEST(ShardGroupTest, EveryShardAcceptsOnOnePort) {
  ShardGroup group(2);
  auto listeners = loopback_listeners(2);
  const Address address = listeners[0].address;
  EXPECT_EQ(listeners[1].address, address);
  for (ShardId i = 0; i < 2; ++i) {
    group.shard(i).listen(std::move(listeners[i]), [i](const PeerAddress&) {
      EXPECT_EQ(affinity::current(), i);
      return std::make_unique<EchoHandler>();
    });
  }
  group.start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(address));
    clients.back()->send("hello");
  }
  for (const auto& client : clients) {
    EXPECT_TRUE(client->receive_until([&] { return client->received == "hello"; }));
  }
  group.stop();
  group.stop();
}

// Each post finds the shard asleep or about to be; none may be lost.
TEST(ShardGroupTest, PostAlwaysWakes) {
  ShardGroup group(1);
  group.start();
  for (int i = 0; i < 3000; ++i) {
    std::promise<ShardId> ran;
    ASSERT_TRUE(group.post(0, [&ran] { ran.set_value(affinity::current()); }));
    auto future = ran.get_future();
    ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(future.get(), 0);
  }
}

TEST(WorkerTest, CompletionRunsOnTheShardThatAsked) {
  ShardGroup group(2);
  group.start();
  Worker worker(group, 2, 16);
  for (ShardId i = 0; i < 2; ++i) {
    std::promise<std::pair<int, ShardId>> done;
    ASSERT_TRUE(worker.submit(
        i,
        [] {
          EXPECT_EQ(affinity::current(), kNoShard);
          return 42;
        },
        [&done](int result) { done.set_value({result, affinity::current()}); }));
    EXPECT_EQ(done.get_future().get(), (std::pair<int, ShardId>{42, i}));
  }
  std::promise<void> done;
  ASSERT_TRUE(worker.submit(0, [] {}, [&done] { done.set_value(); }));
  done.get_future().get();
}

TEST(WorkerTest, IsBoundedAndRefuses) {
  ShardGroup group(1);
  group.start();
  Worker worker(group, 1, 2);
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::promise<void> first, second;
  ASSERT_TRUE(worker.submit(0, [open] { open.wait(); }, [&first] { first.set_value(); }));
  ASSERT_TRUE(worker.submit(0, [open] { open.wait(); }, [&second] { second.set_value(); }));
  const MetricDelta full(R"(parley_io_inbox_full_total{queue="worker"})");
  EXPECT_FALSE(worker.submit(0, [] {}, [] { ADD_FAILURE(); }));
  EXPECT_EQ(full(), 1);
  gate.set_value();
  first.get_future().get();
  second.get_future().get();
  std::promise<void> third;
  ASSERT_TRUE(worker.submit(0, [] {}, [&third] { third.set_value(); }));
  third.get_future().get();
}

TEST(WorkerTest, EndingDropsWhatHasNotBegun) {
  ShardGroup group(1);
  group.start();
  std::promise<void> begun, gate;
  std::atomic<int> ran{0};
  {
    Worker worker(group, 1, 8);
    ASSERT_TRUE(worker.submit(
        0,
        [&] {
          begun.set_value();
          gate.get_future().wait();
        },
        [] {}));
    begun.get_future().wait();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(worker.submit(0, [&] { ++ran; }, [] {}));
    group.stop();  // completions have nowhere to go now
    std::jthread release([&] { gate.set_value(); });
  }
  EXPECT_LE(ran, 3);
}

}  // namespace
}  // namespace parley::io::testing
