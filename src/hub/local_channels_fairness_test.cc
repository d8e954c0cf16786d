// Readers that catch up, by the thousand, beside those that are live: counted in pages and turns,
// not in time.
#include "tests/support/local_channels_fixture.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::make_run;

class FairnessTest : public LocalChannelsTest {
 protected:
  static constexpr int kReaders = 5000;
  // Come back at once, far behind the tail.
  std::vector<Subscription*> storm(uint64_t from) {
    std::vector<Subscription*> readers;
    for (int i = 0; i < kReaders; ++i) readers.push_back(&subscribe(resume(from)));
    local_.deliver_ready(kReaders);
    return readers;
  }
};

TEST_F(FairnessTest, EachPageIsReadOnceForAllThatCatchUp) {
  live();
  feed(11, 40);
  const auto readers = storm(10);
  for (Subscription* reader : readers) EXPECT_EQ(drain(*reader), "waiting");
  EXPECT_EQ(home_.reads.size(), 1u);
  page({.epoch = kEpochA, .top = 40, .publications = make_run(11, 20)});
  for (Subscription* reader : readers)
    EXPECT_EQ(drain(*reader), "11 12 13 14 15 16 17 18 19 20 waiting");
  EXPECT_EQ(home_.reads.size(), 2u);
  page({.epoch = kEpochA, .top = 40, .publications = make_run(21, 40)});
  for (Subscription* reader : readers) EXPECT_TRUE(drain(*reader).ends_with("39 40"));
  EXPECT_EQ(home_.reads.size(), 2u);
}

TEST_F(FairnessTest, LiveReadersDoNotWaitForThoseThatCatchUp) {
  Subscription& reader = live();
  for (uint64_t offset = 11; offset <= 40; ++offset) {
    feed(offset, offset);
    drain(reader);
  }
  for (Subscription* behind : storm(10)) drain(*behind);
  feed(41, 42);
  EXPECT_EQ(drain(reader), "41 42");
}

// The answers to a storm of subscribes take turns.
TEST_F(FairnessTest, AnswersHaveABudget) {
  live();
  for (int i = 0; i < kReaders; ++i) subscribe();
  subscriber_.answers.clear();
  EXPECT_EQ(local_.deliver_ready(100), 100u);
  EXPECT_EQ(subscriber_.answers.size(), 100u);
  EXPECT_TRUE(local_.has_ready());
}

}  // namespace
}  // namespace parley::hub
