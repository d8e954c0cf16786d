#include "io/socket.h"

#include "io/loopback_testing.h"
#include "tests/support/metric_delta.h"

namespace parley::io::testing {
namespace {

using parley::testing::MetricDelta;
using Reasons = std::vector<CloseReason>;

class SocketTest : public LoopbackTest {};

TEST_F(SocketTest, EchoesAndKnowsItsPeer) {
  prepare = [](Record& record) {
    record.on_input = [&record](std::span<char> bytes) {
      record.output.append(bytes.data(), bytes.size());
      record.socket->mark_dirty();
    };
  };
  const auto client = connect();
  EXPECT_EQ(peers.back(), client->address());
  EXPECT_EQ(last().socket->peer(), client->address());
  for (const std::string_view word : {"one", "two", "three"}) {
    client->received.clear();
    client->send(word);
    ASSERT_TRUE(pump([&] { return client->receive(), client->received.size() >= word.size(); }));
    EXPECT_EQ(client->received, word);
  }
  EXPECT_EQ(last().input, "onetwothree");
}

TEST_F(SocketTest, InheritsTheListenersOptions) {
  const auto client = connect();
  const DetachedSocket detached = last().socket->detach("");
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    ::getsockopt(detached.fd.get(), level, name, &value, &length);
    return value;
  };
  const ListenOptions options;
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), options.notsent_lowat);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
  // Linux reserves twice what is asked for, or less where net.core.wmem_max says so.
  EXPECT_LE(option(SOL_SOCKET, SO_SNDBUF), 2 * options.send_buffer);
}

// Slices of one byte (contiguous, so they join), of middle and of large size, to a peer that reads
// late through a small buffer.
TEST_F(SocketTest, SlowReaderGetsEverythingInOrder) {
  for (const size_t slice : {size_t{1000}, size_t{70'000}, size_t{4 << 20}}) {
    const auto client = connect(4096);
    Record& record = last();
    record.slice_bytes = slice;
    const std::string sent = pattern(4 << 20);
    write(record, sent);
    ASSERT_TRUE(pump([&] { return record.was_blocked; }));
    // Blocked: nothing more is gathered however often it is marked.
    const size_t calls = record.consumed.size();
    record.socket->mark_dirty(Urgency::kReply);
    shard->turn(milliseconds(0));
    EXPECT_EQ(record.consumed.size(), calls);
    ASSERT_TRUE(pump([&] { return client->receive(), client->received.size() >= sent.size(); }));
    EXPECT_TRUE(client->received == sent);
    EXPECT_TRUE(record.output.empty());
    for (const size_t n : record.consumed) EXPECT_LE(n, OutSlices::kMaxBytes);
  }
}

// Slices that do not touch: few and small ones are joined, large ones go by sendmsg.
TEST_F(SocketTest, ScatteredSlicesArriveInOrder) {
  class Scattered final : public SocketHandler {
   public:
    explicit Scattered(const std::vector<std::string>& parts) : parts_(parts) {}
    void on_opened(Socket& socket) override { socket.mark_dirty(); }
    void on_input(std::span<char>) override {}
    void gather(OutSlices& out) override {
      size_t skip = sent_;
      for (const std::string& part : parts_) {
        const size_t begin = std::min(skip, part.size());
        skip -= begin;
        if (!out.append(std::string_view(part).substr(begin))) return;
      }
    }
    void consumed(size_t n) override { sent_ += n; }
    void on_closed(CloseReason) override {}

   private:
    const std::vector<std::string>& parts_;
    size_t sent_ = 0;
  };
  for (const size_t size : {size_t{3}, size_t{50}, size_t{5000}, size_t{20'000}}) {
    const auto client = connect();
    std::vector<std::string> parts;
    std::string all;
    for (size_t i = 0; i < 600; ++i) {
      parts.push_back(std::string(size, static_cast<char>('a' + i % 26)));
      all += parts.back();
    }
    last().socket->set_handler(std::make_unique<Scattered>(parts));
    ASSERT_TRUE(pump([&] { return client->receive(), client->received.size() >= all.size(); }));
    EXPECT_TRUE(client->received == all) << size;
    client->close();
    ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  }
}

TEST_F(SocketTest, PeersFinClosesAfterItsBytes) {
  const auto client = connect();
  client->send("last words");
  client->end();
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().input, "last words");
  EXPECT_EQ(last().closed, Reasons{CloseReason::kPeerClosed});
  EXPECT_TRUE(last().destroyed);
  EXPECT_EQ(shard->open_sockets(), 0u);
  ASSERT_TRUE(pump([&] { return client->receive(), client->ended; }));
}

TEST_F(SocketTest, HalfClosedPeerCanStillBeAnswered) {
  const auto client = connect();
  last().after_peer_end = AfterPeerEnd::kKeepSending;
  client->send("question");
  client->end();
  ASSERT_TRUE(pump([&] { return last().peer_ended; }));
  const std::string answer = pattern(1 << 20);
  write(last(), answer);
  ASSERT_TRUE(pump([&] { return client->receive(), client->received.size() == answer.size(); }));
  EXPECT_TRUE(last().closed.empty());
  last().socket->close_after_flush(seconds(5));
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kLocal});
}

TEST_F(SocketTest, ResetWhileASendIsStuck) {
  const auto client = connect(4096);
  write(last(), pattern(4 << 20));
  ASSERT_TRUE(pump([&] { return last().was_blocked; }));
  client->break_off();
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kReset});
}

TEST_F(SocketTest, ResetWhileReadingIsPausedOrPeerHasEnded) {
  const auto paused = connect();
  last().socket->pause_reading();
  paused->break_off();
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kReset});

  const auto half = connect();
  last().after_peer_end = AfterPeerEnd::kKeepSending;
  half->end();
  ASSERT_TRUE(pump([&] { return last().peer_ended; }));
  half->break_off();
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kReset});
}

TEST_F(SocketTest, CloseInsideAnyCallIsFinal) {
  for (const std::string_view where : {"input", "gather", "consumed"}) {
    const auto client = connect();
    Record& record = last();
    const auto close = [&record] {
      record.socket->close();
      record.socket->close(CloseReason::kError);
      EXPECT_FALSE(record.socket->open());
      EXPECT_TRUE(record.closed.empty());  // not before the end of the turn
      // All without effect now.
      record.socket->mark_dirty();
      record.socket->pause_reading();
      record.socket->resume_reading();
      record.socket->close_after_flush(seconds(1));
      char more[] = "more";
      record.socket->feed(more);
    };
    if (where == "input") record.on_input = [close](std::span<char>) { close(); };
    if (where == "gather") record.on_gather = close;
    if (where == "consumed") record.on_consumed = [close](size_t) { close(); };
    record.output = pattern(1 << 20);
    client->send("x");
    if (where != "input") record.socket->mark_dirty();
    ASSERT_TRUE(pump([&] { return !record.closed.empty(); })) << where;
    EXPECT_EQ(record.closed, Reasons{CloseReason::kLocal}) << where;
    EXPECT_TRUE(record.destroyed);
    EXPECT_LE(record.consumed.size(), 1u);
    EXPECT_EQ(shard->open_sockets(), 0u);
  }
}

TEST_F(SocketTest, ClosingOthersInTheSameBatchIsSafe) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(connect());
  for (const auto& record : records) {
    record->on_input = [this](std::span<char>) {
      for (const auto& other : records) {
        if (other->socket != nullptr) other->socket->close();
      }
    };
  }
  for (const auto& client : clients) client->send("all at once");
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  for (const auto& record : records) EXPECT_EQ(record->closed, Reasons{CloseReason::kLocal});
}

TEST_F(SocketTest, CloseAfterFlushDeliversAllThoughThePeerTalksOn) {
  const auto client = connect(4096);
  Record& record = last();
  record.output = pattern(1 << 20);
  record.socket->close_after_flush(seconds(30));
  client->send("nobody reads this any more");
  ASSERT_TRUE(pump([&] { return client->receive(), client->ended || client->reset; }));
  EXPECT_TRUE(client->ended);
  EXPECT_TRUE(client->received == pattern(1 << 20));
  EXPECT_TRUE(record.input.empty());
  EXPECT_TRUE(record.closed.empty());  // waits for the peer's end
  client->close();
  ASSERT_TRUE(pump([&] { return !record.closed.empty(); }));
}

TEST_F(SocketTest, CloseAfterFlushIsBoundedInTime) {
  const MetricDelta unread(R"(parley_io_farewells_cut_total{reason="unread"})");
  const MetricDelta unanswered(R"(parley_io_farewells_cut_total{reason="unanswered"})");
  const auto deaf = connect(4096);
  Record& stuck = last();
  stuck.output = pattern(4 << 20);
  stuck.socket->close_after_flush(milliseconds(40));
  const auto silent = connect();
  Record& sent = last();
  sent.output = "bye";
  sent.socket->close_after_flush(milliseconds(40));
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_EQ(stuck.closed, Reasons{CloseReason::kTimeout});
  EXPECT_EQ(sent.closed, Reasons{CloseReason::kLocal});
  EXPECT_EQ(unread(), 1);
  EXPECT_EQ(unanswered(), 1);
}

TEST_F(SocketTest, CloseAfterFlushIsBoundedInBytes) {
  const MetricDelta flooded(R"(parley_io_farewells_cut_total{reason="flooded"})");
  ShardOptions options;
  options.loop.farewell_bytes = 10'000;
  start(std::move(options));
  const auto client = connect();
  last().socket->close_after_flush(seconds(60));
  const std::string flood(4096, 'x');
  ASSERT_TRUE(pump([&] { return client->try_send(flood), !last().closed.empty(); }));
  EXPECT_EQ(flooded(), 1);
}

TEST_F(SocketTest, NewHandlerGetsTheLeftovers) {
  const auto client = connect();
  const std::shared_ptr<Record> first = records.back();
  const auto second = std::make_shared<Record>();
  first->on_input = [&](std::span<char> bytes) {
    Socket& socket = *first->socket;
    socket.set_handler(std::make_unique<RecordingHandler>(second));
    EXPECT_FALSE(first->destroyed);  // it is on the stack
    socket.feed(bytes.subspan(7));
  };
  client->send("UPGRADEframe1");
  ASSERT_TRUE(pump([&] { return !second->input.empty(); }));
  EXPECT_TRUE(first->destroyed);
  EXPECT_TRUE(first->closed.empty());
  client->send("frame2");
  ASSERT_TRUE(pump([&] { return second->input == "frame1frame2"; }));
  write(*second, "answer");
  ASSERT_TRUE(pump([&] { return client->receive(), client->received == "answer"; }));
  client->close();
  ASSERT_TRUE(pump([&] { return !second->closed.empty(); }));
  EXPECT_TRUE(first->closed.empty());
}

TEST_F(SocketTest, PausedReadingLeavesBytesWithThePeer) {
  const auto client = connect();
  Record& record = last();
  record.on_input = [&](std::span<char>) { record.socket->pause_reading(); };
  client->send("a");
  ASSERT_TRUE(pump([&] { return record.input == "a"; }));
  client->send("bc");
  client->end();
  const auto other = connect();  // turns pass meanwhile
  EXPECT_EQ(records[0]->input, "a");
  records[0]->on_input = nullptr;
  records[0]->socket->resume_reading();
  ASSERT_TRUE(pump([&] { return !records[0]->closed.empty(); }));
  EXPECT_EQ(records[0]->input, "abc");
  EXPECT_EQ(records[0]->closed, Reasons{CloseReason::kPeerClosed});
}

// Also where a read takes all that its handler wants and nothing is left, or the peer's end.
TEST_F(SocketTest, ReadsNoMoreAtATimeThanItsHandlerWants) {
  const auto client = connect();
  Record& record = last();
  std::vector<size_t> reads;
  record.on_input = [&](std::span<char> bytes) { reads.push_back(bytes.size()); };
  record.socket->read_at_most(1000);
  std::string sent;
  for (const size_t size : {size_t{1000}, size_t{10'500}, size_t{3000}}) {
    const std::string piece = pattern(size);
    sent += piece;
    client->send(piece);
    if (size == 3000) client->end();
    ASSERT_TRUE(pump([&] { return record.input.size() == sent.size(); }));
  }
  EXPECT_TRUE(record.input == sent);
  for (const size_t size : reads) EXPECT_LE(size, 1000u);
  ASSERT_TRUE(pump([&] { return !record.closed.empty(); }));
}

TEST_F(SocketTest, WhatAHandlerWantsMayChangeWithWhatItReads) {
  const auto client = connect();
  Record& record = last();
  std::vector<size_t> reads;
  record.on_input = [&](std::span<char> bytes) {
    reads.push_back(bytes.size());
    record.socket->read_at_most(reads.size() == 1 ? 5000 : 2000);
  };
  record.socket->read_at_most(1000);
  client->send(pattern(8500));
  ASSERT_TRUE(pump([&] { return record.input.size() == 8500; }));
  EXPECT_EQ(reads, (std::vector<size_t>{1000, 5000, 2000, 500}));
}

TEST_F(SocketTest, ANewHandlerReadsAllThatThereIs) {
  const auto client = connect();
  const std::shared_ptr<Record> first = records.back();
  const auto second = std::make_shared<Record>();
  std::vector<size_t> reads;
  second->on_input = [&](std::span<char> bytes) { reads.push_back(bytes.size()); };
  first->socket->read_at_most(1000);
  first->on_input = [&](std::span<char>) {
    first->socket->set_handler(std::make_unique<RecordingHandler>(second));
  };
  client->send(pattern(31'000));
  ASSERT_TRUE(pump([&] { return second->input.size() == 30'000; }));
  EXPECT_EQ(reads, std::vector<size_t>{30'000});
}

TEST_F(SocketTest, RepliesAreFlushedFirst) {
  const auto one = connect();
  const auto two = connect();
  std::vector<int> order;
  records[0]->on_gather = [&] { order.push_back(0); };
  records[1]->on_gather = [&] { order.push_back(1); };
  records[0]->socket->mark_dirty();
  records[1]->socket->mark_dirty();
  records[1]->socket->mark_dirty(Urgency::kReply);
  shard->turn(milliseconds(0));
  EXPECT_EQ(order, (std::vector<int>{1, 0}));
}

TEST_F(SocketTest, BudgetsShareTheTurn) {
  ShardOptions options;
  options.loop.input_bytes_per_turn = 1000;
  options.loop.input_bytes_per_socket = 500;
  options.loop.scratch_bytes = 250;
  options.loop.flushes_per_turn = 1;
  options.loop.part_time = seconds(10);
  start(std::move(options));
  const auto greedy = connect();
  const auto modest = connect();
  const std::string flood = pattern(100'000);
  greedy->send(flood);
  modest->send("hello");
  size_t turns = 0;
  ASSERT_TRUE(pump([&] { return ++turns, records[1]->input == "hello"; }));
  EXPECT_LE(turns, 4u);
  EXPECT_LT(records[0]->input.size(), 4000u);
  ASSERT_TRUE(pump([&] { return records[0]->input.size() == flood.size(); }));
  EXPECT_TRUE(records[0]->input == flood);

  records[0]->output = records[1]->output = "x";
  records[0]->socket->mark_dirty();
  records[1]->socket->mark_dirty();
  shard->turn(milliseconds(0));
  EXPECT_EQ(records[0]->consumed.size() + records[1]->consumed.size(), 1u);
  shard->turn(milliseconds(0));
  EXPECT_EQ(records[0]->consumed.size() + records[1]->consumed.size(), 2u);
}

// A socket that waits to be read when it dies must be forgotten by the list of such sockets.
TEST_F(SocketTest, DeferredSocketMayDie) {
  ShardOptions options;
  options.loop.input_bytes_per_socket = 100;
  options.loop.scratch_bytes = 100;
  start(std::move(options));
  const auto client = connect();
  client->send(pattern(1000));
  ASSERT_TRUE(pump([&] { return !last().input.empty(); }));
  last().socket->close();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kLocal});
}

TEST_F(SocketTest, DetachedConnectionGoesOnWithUnreadBytes) {
  const auto client = connect();
  client->send("mine|theirs");
  ASSERT_TRUE(pump([&] { return last().input.size() == 11; }));
  DetachedSocket detached = last().socket->detach("theirs");
  client->send(",kernel");
  ASSERT_TRUE(pump([&] { return !last().closed.empty(); }));
  EXPECT_EQ(last().closed, Reasons{CloseReason::kDetached});

  ShardGroup other(1);
  other.start();
  Task adopt = [&other, detached = std::move(detached)]() mutable {
    other.shard(0).adopt(std::move(detached), std::make_unique<EchoHandler>());
  };
  ASSERT_TRUE(other.post(0, std::move(adopt)));
  ASSERT_TRUE(client->receive_until([&] { return client->received == "theirs,kernel"; }));
  client->send("!");
  ASSERT_TRUE(client->receive_until([&] { return client->received == "theirs,kernel!"; }));
  other.stop();
  client->receive_until([] { return false; });
  EXPECT_TRUE(client->ended);
}

// Part of it is in the kernel, part is not sent yet, and the client's next message is on its way.
TEST_F(SocketTest, DetachedWithABroadcastAndAMessageInFlight) {
  const auto client = connect(4096);
  const std::string sent = pattern(1 << 20);
  write(last(), sent);
  ASSERT_TRUE(pump([&] { return last().was_blocked; }));
  client->send("ack");
  std::string unsent = last().output;
  ASSERT_LT(unsent.size(), sent.size());
  ASSERT_FALSE(unsent.empty());
  DetachedSocket detached = last().socket->detach("");

  ShardGroup other(1);
  other.start();
  Task adopt = [&other, detached = std::move(detached), unsent = std::move(unsent)]() mutable {
    other.shard(0).adopt(std::move(detached), std::make_unique<EchoHandler>(std::move(unsent)));
  };
  ASSERT_TRUE(other.post(0, std::move(adopt)));
  ASSERT_TRUE(client->receive_until([&] { return client->received.size() >= sent.size() + 3; }));
  EXPECT_TRUE(client->received == sent + "ack");
  other.stop();
}

TEST_F(SocketTest, DroppedDetachedSocketCloses) {
  const auto client = connect();
  {
    const DetachedSocket detached = last().socket->detach("");
  }
  ASSERT_TRUE(pump([&] { return client->receive(), client->ended; }));
}

// Notes what it is told of unread input.
class LagHandler final : public SocketHandler {
 public:
  explicit LagHandler(std::vector<InputLag>& lags) : lags_(lags) {}
  void on_opened(Socket&) override {}
  void on_input(std::span<char>) override {}
  void on_input_lag(const InputLag& lag) override { lags_.push_back(lag); }
  void gather(OutSlices&) override {}
  void consumed(size_t) override {}
  void on_closed(CloseReason) override {}

 private:
  std::vector<InputLag>& lags_;
};

TEST_F(SocketTest, InputThatIsNotReadToTheEndIsWeighed) {
  ShardOptions options;
  options.loop.scratch_bytes = 1000;
  options.loop.input_bytes_per_socket = 1000;
  options.loop.lag_every = Duration(0);
  start(std::move(options));
  const auto client = connect();
  std::vector<InputLag> lags;
  last().socket->set_handler(std::make_unique<LagHandler>(lags));
  client->send(pattern(500));
  for (int i = 0; i < 3; ++i) shard->turn(milliseconds(0));
  EXPECT_TRUE(lags.empty()) << "it keeps up";
  client->send(pattern(3500));
  ASSERT_TRUE(pump([&] { return lags.size() >= 5; }));
  EXPECT_EQ(lags[0].read, 1000u) << "it begins";
  EXPECT_EQ(lags[1].unread, 2500u);
  EXPECT_EQ(lags[1].read, 1000u);
  EXPECT_EQ(lags[3].unread, 500u);
  EXPECT_EQ(lags[4].unread + lags[4].read, 0u) << "it is over";
  // One that dies meanwhile is forgotten.
  client->send(pattern(3500));
  ASSERT_TRUE(pump([&] { return lags.size() >= 7; }));
  client->break_off();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
}

// A writer that flushes blocks of just the size of a read: only the next read finds nothing.
TEST_F(SocketTest, InputThatFillsOneReadIsReadToTheEnd) {
  ShardOptions options;
  options.loop.scratch_bytes = 1000;
  options.loop.lag_every = Duration(0);
  start(std::move(options));
  const auto client = connect();
  std::vector<InputLag> lags;
  last().socket->set_handler(std::make_unique<LagHandler>(lags));
  for (size_t block = 1; block <= 2; ++block) {
    client->send(pattern(1000));
    ASSERT_TRUE(pump([&] { return lags.size() >= 3 * block; }));
    EXPECT_EQ(lags[3 * block - 3].read, 1000u) << "it begins";
    EXPECT_EQ(lags.back().unread + lags.back().read, 0u) << "it is over";
  }
  for (int i = 0; i < 3; ++i) shard->turn(milliseconds(0));
  EXPECT_EQ(lags.size(), 6u);
}

// Its kernel drops what comes, as if the line were down.
TEST_F(SocketTest, APeerThatConfirmsNothingIsUnheard) {
  const auto client = connect();
  Record& record = last();
  EXPECT_FALSE(record.socket->unheard(Duration(0)));
  client->lose_what_comes();
  EXPECT_FALSE(record.socket->unheard(Duration(0)));
  write(record, "hello");
  EXPECT_TRUE(pump([&] { return record.socket->unheard(milliseconds(50)); }));
  EXPECT_FALSE(record.socket->unheard(seconds(30)));
}

// Of a peer that was quiet for as long as you like nothing is known yet when it was just written
// to: its confirmation may be on its way.
TEST_F(SocketTest, AQuietPeerThatWasJustWrittenToIsHeard) {
  const auto client = connect();
  client->lose_what_comes();
  write(last(), "hello");
  ASSERT_TRUE(pump([&] { return last().output.empty(); }));
  EXPECT_FALSE(last().socket->unheard(Duration(0)));
}

TEST_F(SocketTest, APeerThatDoesNotReadIsHeard) {
  const auto client = connect(4096);
  Record& record = last();
  write(record, pattern(4 << 20));
  ASSERT_TRUE(pump([&] { return record.was_blocked; }));
  EXPECT_TRUE(pump([&] { return !record.socket->unheard(Duration(0)); }));
}

}  // namespace
}  // namespace parley::io::testing
