#include "bench/ledger.h"

#include <gtest/gtest.h>

namespace parley::bench {
namespace {

constexpr uint64_t kRun = 77;

// A ledger, and deliveries that are as somebody planted them.
struct Books {
  Ledger ledger;

  explicit Books(uint32_t channels = 1, uint32_t subscribers = 1, uint32_t streams = 1)
      : ledger({.run = kRun,
                .channels = channels,
                .subscribers = subscribers,
                .streams_per_channel = streams}) {}

  void publish(int count, uint32_t stream = 0) {
    for (int i = 0; i < count; ++i) ledger.publish(stream);
  }
  void deliver(std::initializer_list<uint64_t> sequences, uint32_t subscriber = 0,
               uint32_t stream = 0, uint64_t run = kRun) {
    for (const uint64_t sequence : sequences) {
      std::string text = "{";
      Payload{.run = run, .stream = stream, .sequence = sequence, .sent_ns = 1000}.append_to(
          text, Payload::kMinBytes);
      ledger.deliver(subscriber, text, 1500, 10);
    }
  }
  // lost, missing, doubled, disordered, misrouted
  std::vector<uint64_t> faults() const {
    const Counts counts = ledger.counts();
    return {counts.lost, counts.missing, counts.doubled, counts.disordered, counts.misrouted};
  }
};

using Faults = std::vector<uint64_t>;

TEST(BenchLedger, FindsNothingWrongWhenNothingIs) {
  Books books(2, 3);
  books.publish(2, 0);
  books.publish(1, 1);
  EXPECT_EQ(books.ledger.in_flight(), 3u);
  for (const uint32_t subscriber : {0u, 1u, 2u}) books.deliver({1, 2}, subscriber, 0);
  EXPECT_EQ(books.ledger.in_flight(), 1u);
  for (const uint32_t subscriber : {3u, 4u, 5u}) books.deliver({1}, subscriber, 1);
  EXPECT_EQ(books.ledger.in_flight(), 0u);
  EXPECT_EQ(books.faults(), (Faults{0, 0, 0, 0, 0}));
  EXPECT_EQ(books.ledger.counts().published, 3u);
  EXPECT_EQ(books.ledger.counts().deliveries, 9u);
  EXPECT_EQ(books.ledger.counts().delivered_bytes, 90u);
  EXPECT_EQ(books.ledger.latencies().total(), 9u);
  EXPECT_NEAR(static_cast<double>(books.ledger.latencies().quantile(0.5)), 500, 16);
}

TEST(BenchLedger, SeesWhatIsLost) {
  Books books;
  books.publish(10);
  books.deliver({1, 2, 5, 6, 10});
  EXPECT_EQ(books.faults(), (Faults{5, 0, 0, 0, 0}));
  EXPECT_EQ(books.ledger.in_flight(), 0u) << "a window must not wait for what is lost";
}

TEST(BenchLedger, SeesWhatIsMissingAtTheEnd) {
  Books books(1, 2);
  books.publish(4);
  books.deliver({1, 2, 3, 4}, 0);
  books.deliver({1, 2}, 1);
  EXPECT_EQ(books.faults(), (Faults{0, 2, 0, 0, 0}));
  EXPECT_EQ(books.ledger.in_flight(), 2u);
}

TEST(BenchLedger, SeesDoublesAndDisorder) {
  Books books;
  books.publish(6);
  books.deliver({1, 1, 2});
  EXPECT_EQ(books.faults(), (Faults{0, 4, 1, 0, 0}));
  books.deliver({6, 4, 4, 3, 5, 5});
  EXPECT_EQ(books.faults(), (Faults{0, 0, 3, 3, 0}));
  EXPECT_EQ(books.ledger.counts().deliveries, 6u);
}

TEST(BenchLedger, SeesWhatIsMisrouted) {
  Books books(2, 1);
  books.publish(2, 0);
  books.deliver({1}, 1, 0);            // another channel's
  books.deliver({3}, 0, 0);            // never sent
  books.deliver({0}, 0, 0);            // numbers begin with 1
  books.deliver({1}, 0, 2);            // no such stream
  books.deliver({1}, 0, 0, kRun + 1);  // of another run
  books.ledger.deliver(0, R"({"push":{"pub":{"data":{}}}})", 1, 1);
  books.ledger.deliver(0, "\"b#12", 1, 1);
  books.ledger.deliver(0, R"("b#00000000770000000x00000000000100000000000000010000")", 1, 1);
  EXPECT_EQ(books.faults(), (Faults{0, 2, 0, 0, 8}));
}

TEST(BenchLedger, PublishersOfOneChannelHaveTheirOwnOrder) {
  Books books(1, 1, 2);
  books.publish(2, 0);
  books.publish(2, 1);
  books.deliver({1}, 0, 0);
  books.deliver({1, 2}, 0, 1);
  books.deliver({2}, 0, 0);
  EXPECT_EQ(books.faults(), (Faults{0, 0, 0, 0, 0}));
  EXPECT_EQ(books.ledger.in_flight(), 0u);
}

TEST(BenchLedger, StartForgetsWhatWasBefore) {
  Books books;
  books.publish(3);
  books.deliver({1});
  books.ledger.start();
  EXPECT_EQ(books.ledger.in_flight(), 0u);
  books.deliver({2});
  books.publish(2);
  books.deliver({5, 3, 4, 4});
  EXPECT_EQ(books.faults(), (Faults{0, 0, 1, 1, 0}));
  EXPECT_EQ(books.ledger.counts().published, 2u);
  EXPECT_EQ(books.ledger.counts().deliveries, 2u);
}

TEST(BenchLedger, KeepsItsBooksOverManyMessages) {
  Books books(1, 2);
  for (uint64_t sequence = 1; sequence <= 20'000; ++sequence) {
    books.publish(1);
    books.deliver({sequence}, 0);
    if (sequence > 7) books.deliver({sequence - 7}, 1);
    EXPECT_EQ(books.ledger.in_flight(), std::min<uint64_t>(sequence, 7));
  }
  EXPECT_EQ(books.faults(), (Faults{0, 7, 0, 0, 0}));
}

}  // namespace
}  // namespace parley::bench
