// What is particular to the memory broker; everything that holds for all brokers is in
// tests/contract.
#include "broker/memory/memory_broker.h"

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"

namespace parley::broker::memory {
namespace {

using namespace std::chrono_literals;

class CountingIds final : public IdSource {
 public:
  uint64_t next_u64() override { return ++last_; }

 private:
  uint64_t last_ = 0;
};

std::shared_ptr<const hub::ChannelOptions> options(uint32_t size, seconds ttl = 60s,
                                                   seconds meta_ttl = 3600s) {
  auto made = std::make_shared<hub::ChannelOptions>();
  made->history_size = size;
  made->history_ttl = ttl;
  made->history_meta_ttl = meta_ttl;
  return made;
}

std::unique_ptr<hub::Publication> publication(size_t size) {
  auto made = std::make_unique<hub::Publication>();
  made->data.assign(size, 'x');
  return made;
}

class StreamTableTest : public ::testing::Test {
 protected:
  void publish(StreamTable& table, const std::string& name, size_t size, bool retain = true) {
    table.append(table.find_or_create(name, options(100), now_), publication(size), retain, now_);
    table.enforce_budget();
  }

  CountingIds ids_;
  Time now_{1h};
};

TEST_F(StreamTableTest, AccountsReturnToZero) {
  StreamTable table(ids_, 1 << 20, now_);
  for (const char* name : {"a", "b", "c"}) publish(table, name, 1000);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.publications(), 3u);
  EXPECT_GT(table.bytes(), 3000u);
  now_ += 2h;
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(table.find(name, now_), nullptr);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.publications(), 0u);
  EXPECT_EQ(table.bytes(), 0u);
}

TEST_F(StreamTableTest, BudgetTakesThePublicationsOfTheOldestUnattachedStreamFirst) {
  StreamTable table(ids_, 20000, now_);
  table.attach(table.find_or_create("live", options(100), now_), {0, 1});
  for (const char* name : {"live", "old", "new"}) publish(table, name, 5000);
  ASSERT_EQ(table.publications(), 3u);
  publish(table, "new", 5000);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_FALSE(table.find("old", now_)->retains());
  EXPECT_EQ(table.find("old", now_)->base(), 1u);
  EXPECT_EQ(table.find("new", now_)->retained(), 2u);
  EXPECT_EQ(table.find("live", now_)->retained(), 1u);
}

TEST_F(StreamTableTest, BudgetTakesUnattachedStreamsThenTheHistoryOfAttachedOnes) {
  const parley::testing::MetricDelta streams(
      R"(parley_broker_memory_evictions_total{what="stream"})");
  const parley::testing::MetricDelta publications(
      R"(parley_broker_memory_evictions_total{what="publication"})");
  StreamTable table(ids_, 12000, now_);
  table.attach(table.find_or_create("live", options(100), now_), {0, 1});
  publish(table, "idle", 100);
  const hub::Epoch before = table.find("idle", now_)->epoch();
  for (int i = 0; i < 4; ++i) publish(table, "live", 5000);
  EXPECT_EQ(table.find("idle", now_), nullptr);
  EXPECT_FALSE(table.epoch_without_stream("idle").same_incarnation(before));
  Stream* live = table.find("live", now_);
  EXPECT_EQ(live->top(), 4u);
  EXPECT_EQ(live->base(), 2u);
  EXPECT_LE(table.bytes(), 12000u);
  EXPECT_EQ(streams(), 1);
  EXPECT_EQ(publications(), 3);  // one of "idle", two of "live"
}

TEST_F(StreamTableTest, PublicationLargerThanTheBudgetIsDeliveredButNotKept) {
  StreamTable table(ids_, 2000, now_);
  table.attach(table.find_or_create("live", options(100), now_), {0, 1});
  publish(table, "live", 5000);
  Stream* live = table.find("live", now_);
  EXPECT_EQ(live->top(), 1u);
  EXPECT_EQ(live->base(), 1u);
}

TEST_F(StreamTableTest, SweepFreesWhatNobodyAsksFor) {
  StreamTable table(ids_, 1 << 20, now_);
  for (int i = 0; i < 1000; ++i) publish(table, "c" + std::to_string(i), 10);
  now_ += 61s;
  table.sweep(now_);
  EXPECT_EQ(table.publications(), 1000u - 256u);  // bounded per call
  for (int i = 0; i < 3; ++i) table.sweep(now_);
  EXPECT_EQ(table.publications(), 0u);
  EXPECT_EQ(table.size(), 1000u);
  now_ += 2h;
  for (int i = 0; i < 4; ++i) table.sweep(now_);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.bytes(), 0u);
}

TEST(StreamTest, LongTtlDoesNotOverflow) {
  Stream stream({1, 0, 0}, Time{1h});
  stream.set_options(options(10, seconds(INT64_MAX), seconds(INT64_MAX)));
  stream.append(publication(1), true, Time{1h});
  stream.drop_expired(Time{1000h});
  EXPECT_EQ(stream.retained(), 1u);
  stream.drop_all();
  EXPECT_FALSE(stream.forgettable(Time{1000h}));
}

TEST(StreamTest, QueueKeepsItsOrderWhileItMoves) {
  Stream stream({1, 0, 0}, Time{});
  stream.set_options(options(7));
  for (uint64_t i = 1; i <= 100; ++i) {
    stream.append(publication(1), true, Time{});
    std::vector<hub::PublicationPtr> all;
    stream.read({.limit = 1000}, all);
    ASSERT_EQ(all.size(), std::min<uint64_t>(i, 7));
    for (const auto& each : all) ASSERT_EQ(each->offset, stream.base() + 1 + (&each - all.data()));
  }
}

TEST(SlotEpochsTest, BootIsNeverZeroAndDiffersBetweenSlots) {
  CountingIds ids;
  SlotEpochs epochs(ids);
  EXPECT_TRUE(epochs.current(3).known());
  EXPECT_NE(epochs.current(3).boot, epochs.current(4).boot);
  EXPECT_EQ(epochs.current(3), epochs.current(3));
  const hub::Epoch before = epochs.current(3);
  epochs.advance(3);
  EXPECT_EQ(epochs.current(3).boot, before.boot);
  EXPECT_EQ(epochs.current(3).counter, before.counter + 1);
}

TEST(IdempotencyWindowTest, OldestGoFirstByCountAndBytes) {
  const parley::testing::MetricDelta forgotten(
      R"(parley_broker_memory_evictions_total{what="idempotency_key"})");
  IdempotencyWindow window({.window = 5min, .max_entries = 2, .max_bytes = 1 << 20});
  for (const char* key : {"a", "b", "c"}) window.remember(key, 1, {}, Time{});
  EXPECT_EQ(window.find("a", Time{}), nullptr);
  EXPECT_EQ(forgotten(), 1);
  EXPECT_NE(window.find("b", Time{}), nullptr);
  EXPECT_NE(window.find("c", Time{}), nullptr);

  IdempotencyWindow small({.window = 5min, .max_entries = 100, .max_bytes = 1000});
  small.remember("a", 1, {}, Time{});
  small.remember(std::string(800, 'b'), 1, {}, Time{});
  EXPECT_EQ(small.find("a", Time{}), nullptr);
  EXPECT_LE(small.bytes(), 1000u);
  EXPECT_EQ(forgotten(), 2);
}

TEST(IdempotencyWindowTest, ForgetsAfterTheWindowAndLearnsAgain) {
  IdempotencyWindow window({.window = 5min});
  window.remember("a", 1, {}, Time{});
  EXPECT_NE(window.find("a", Time{5min - 1ns}), nullptr);
  EXPECT_EQ(window.find("a", Time{5min}), nullptr);
  window.remember("a", 2, {}, Time{5min});
  EXPECT_EQ(window.find("a", Time{6min})->digest, 2u);
  window.expire(Time{10min}, 10);
  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.bytes(), 0u);
}

TEST(IdempotencyWindowTest, ScopesAreInjective) {
  EXPECT_NE(idempotency_scope("ab", "c", "d"), idempotency_scope("a", "bc", "d"));
  EXPECT_NE(idempotency_scope("a", "bc", "d"), idempotency_scope("a", "b", "cd"));
}

TEST(IdempotencyWindowTest, DigestCoversTheContent) {
  hub::Publication base;
  base.data = "x";
  const auto differs = [&](auto change) {
    hub::Publication other;
    other.data = base.data;
    change(other);
    return content_digest(other) != content_digest(base);
  };
  EXPECT_FALSE(differs([](hub::Publication& p) { p.offset = 9, p.time = 9; }));
  EXPECT_TRUE(differs([](hub::Publication& p) { p.data = "y"; }));
  EXPECT_TRUE(differs([](hub::Publication& p) { p.kind = hub::ContentKind::kText; }));
  EXPECT_TRUE(differs([](hub::Publication& p) { p.event = "e"; }));
  EXPECT_TRUE(differs([](hub::Publication& p) { p.tags = {{"a", "b"}}; }));
}

// Requests made by a callback must neither be lost nor break the event it handles.
class Restless final : public hub::BrokerEvents {
 public:
  explicit Restless(MemoryBroker& broker) : broker_(broker) {}
  void on_attached(const hub::ChannelKey&, hub::FeedId,
                   std::expected<hub::Attached, hub::BrokerError>) override {
    ++attached;
  }
  void on_published(hub::BrokerToken, std::expected<hub::Published, hub::BrokerError>) override {}
  void on_read(hub::BrokerToken, std::expected<hub::ReadPage, hub::BrokerError> page) override {
    read += page->publications.size();
  }
  void on_history_removed(hub::BrokerToken, std::expected<void, hub::BrokerError>) override {}
  void on_publication(const hub::ChannelKey& channel, hub::FeedId, hub::PublicationPtr) override {
    broker_.detach(channel);
    broker_.attach({"other"}, options(10), 1);
    EXPECT_EQ(channel.name, "a");
    ++publications;
  }
  void on_reset(const hub::ChannelKey&, const hub::Attached&, hub::GapReason) override {}
  void on_feed_broken(const std::vector<hub::Slot>&) override {}

  int attached = 0, publications = 0;
  size_t read = 0;

 private:
  MemoryBroker& broker_;
};

TEST(MemoryBrokerTest, CallbackMayDetachTheChannelItHandles) {
  CountingIds ids;
  MemoryBroker broker({}, ids, {});
  Restless events(broker);
  broker.attach({"a"}, options(10), 1);
  for (hub::BrokerToken token : {1, 2})
    broker.publish(token,
                   {.channel = {"a"}, .options = options(10), .publication = publication(1)});
  while (broker.run({}, events, 1)) {
  }
  EXPECT_EQ(events.publications, 1);
  EXPECT_EQ(events.attached, 2);
}

// Pages are dear for whoever asked for them: what is due otherwise is not to wait for many of them.
TEST(MemoryBrokerTest, APageCountsForItsSize) {
  CountingIds ids;
  MemoryBroker broker({}, ids, {});
  Restless events(broker);
  for (int i = 0; i < 3; ++i)
    broker.publish(1,
                   {.channel = {"b"}, .options = options(10), .publication = publication(65536)});
  while (broker.run({}, events, 100)) {
  }
  for (int i = 0; i < 4; ++i) broker.read(2, {"b"}, {.limit = 10});
  EXPECT_TRUE(broker.run({}, events, 256));
  EXPECT_EQ(events.read, 6u) << "two pages, each of 192 KiB";
  EXPECT_FALSE(broker.run({}, events, 256));
  EXPECT_EQ(events.read, 12u);
}

TEST(MemoryBrokerTest, ReadingAndSubscribingStoreNothing) {
  CountingIds ids;
  MemoryBroker broker({}, ids, {});
  broker.read(1, {"a"}, {});
  broker.remove_history(2, {"a"});
  broker.detach({"a"});
  EXPECT_EQ(broker.streams().size(), 0u);
  broker.attach({"a"}, options(10), 1);
  EXPECT_EQ(broker.streams().size(), 1u);
  broker.detach({"a"});
  EXPECT_EQ(broker.streams().size(), 0u);
  EXPECT_EQ(broker.streams().bytes(), 0u);
}

}  // namespace
}  // namespace parley::broker::memory
