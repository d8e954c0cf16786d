// What sockets share is written together: docs/adr/0027-writes-together.md.
#include <string>
#include <vector>

#include "io/loopback_testing.h"

namespace parley::io {
namespace {

using Steps = std::vector<std::string>;

class SharedWritesTest : public testing::LoopbackTest {
 protected:
  // Clients whose records write down what is asked of them, in `steps`.
  void connect_all(size_t count, int receive_buffer = 0) {
    for (size_t i = 0; i < count; ++i) {
      clients.push_back(connect(receive_buffer));
      const std::string name(1, static_cast<char>('a' + i));
      last().shares = true;
      last().on_gather = [this, name] { steps.push_back("gather " + name); };
      last().on_gather_shared = [this, name] { steps.push_back("share " + name); };
      last().on_consumed = [this, name](size_t n) {
        steps.push_back("consumed " + name + " " + std::to_string(n));
      };
    }
  }
  void write_all(std::string_view bytes) {
    for (const auto& record : records) write(*record, bytes);
  }

  std::vector<std::unique_ptr<testing::Client>> clients;
  Steps steps;
};

TEST_F(SharedWritesTest, AllAreAskedBeforeAnyIsTold) {
  connect_all(3);
  write_all("x");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "share b", "share c", "consumed a 1", "consumed b 1",
                          "consumed c 1"}));
  for (const auto& client : clients)
    EXPECT_TRUE(pump([&] { return client->receive(), client->received == "x"; }));
}

TEST_F(SharedWritesTest, WhoSharesNothingIsServedBehindThoseBefore) {
  connect_all(3);
  records[1]->shares = false;
  write_all("xy");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "consumed a 2", "gather b", "consumed b 2", "share c",
                          "consumed c 2"}));
}

TEST_F(SharedWritesTest, NotMoreAreWrittenTogetherThanMay) {
  ShardOptions options;
  options.loop.writes_together = 2;
  start(options);
  connect_all(3);
  write_all("x");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "share b", "consumed a 1", "consumed b 1", "share c",
                          "consumed c 1"}));
}

TEST_F(SharedWritesTest, NotMoreBytesAreWrittenTogetherThanMay) {
  ShardOptions options;
  options.loop.bytes_together = 10;
  start(options);
  connect_all(3);
  write_all("123456");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "share b", "consumed a 6", "consumed b 6", "share c",
                          "consumed c 6"}));
}

TEST_F(SharedWritesTest, OneThatAnotherClosesIsNotAskedForMore) {
  connect_all(2);
  records[1]->shares = false;
  records[0]->on_consumed = [&](size_t) { records[1]->socket->close(); };
  write_all("x");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, Steps{"share a"});
  EXPECT_EQ(records[1]->closed, std::vector{CloseReason::kLocal});
}

TEST_F(SharedWritesTest, OneThatTakesAPartIsBlockedAndTheOthersAreNot) {
  connect_all(3, 4096);
  // The middle one does not read, until the kernel takes no more.
  while (!records[1]->was_blocked) {
    write(*records[1], testing::pattern(60'000));
    shard->turn(milliseconds(0));
  }
  const size_t left = records[1]->output.size();
  const std::string rest = records[1]->output;
  steps.clear();
  write_all("new");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "share c", "consumed a 3", "consumed c 3"}));
  EXPECT_EQ(records[1]->output.size(), left + 3);
  ASSERT_TRUE(pump([&] { return clients[1]->receive(), records[1]->output.empty(); }));
  ASSERT_TRUE(
      pump([&] { return clients[1]->receive(), clients[1]->received.ends_with(rest + "new"); }));
}

TEST_F(SharedWritesTest, AFailedWriteIsToldInItsPlaceAndCloses) {
  connect_all(3);
  // The loop has not seen the reset yet.
  records[1]->on_gather_shared = [&] {
    steps.push_back("share b");
    clients[1]->break_off();
  };
  write_all("x");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps, (Steps{"share a", "share b", "share c", "consumed a 1", "consumed b 0",
                          "consumed c 1"}));
  ASSERT_TRUE(pump([&] { return !records[1]->closed.empty(); }));
  EXPECT_EQ(records[1]->closed, std::vector{CloseReason::kReset});
  EXPECT_EQ(records[0]->consumed, std::vector<size_t>{1});
  EXPECT_EQ(records[2]->consumed, std::vector<size_t>{1});
}

TEST_F(SharedWritesTest, ASocketThatSaysGoodbyeIsServedAlone) {
  connect_all(2);
  records[0]->socket->close_after_flush(seconds(5));
  write_all("x");
  shard->turn(milliseconds(0));
  EXPECT_EQ(steps.front(), "gather a");
  ASSERT_TRUE(pump([&] { return clients[0]->receive(), clients[0]->ended; }));
  EXPECT_EQ(clients[0]->received, "x");
}

TEST_F(SharedWritesTest, MoreThanOneWriteIsNotShared) {
  connect_all(1);
  const std::string sent = testing::pattern(OutSlices::kMaxBytes + 1);
  write_all(sent);
  ASSERT_TRUE(
      pump([&] { return clients[0]->receive(), clients[0]->received.size() == sent.size(); }));
  EXPECT_EQ(clients[0]->received, sent);
  EXPECT_EQ(steps.front(), "gather a");
}

}  // namespace
}  // namespace parley::io
