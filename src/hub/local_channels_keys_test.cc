// Readers that are too far behind in a channel that conflates per key.
#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::MetricDelta;

class ConflationTest : public LocalChannelsTest {
 protected:
  static std::shared_ptr<Publication> one(uint64_t offset, char key, Epoch epoch = kEpochA) {
    auto made = std::make_shared<Publication>();
    made->offset = offset;
    made->prev = offset - 1;
    made->epoch = epoch;
    made->data = std::to_string(offset);
    if (key != '-') made->tags = {{"symbol", std::string(1, key)}};
    return made;
  }
  // Room for three publications behind a reader.
  Subscription& live_with(size_t tail = 40) {
    const size_t cost = one(10, 'a')->cost();
    options_->history_size = 0;
    options_->overflow = {
        .policy = OverflowPolicy::kLatest, .max_bytes = 3 * cost, .key = "symbol"};
    options_->tail_bytes = tail * cost;
    return live();
  }
  // One letter is one publication's key, "-" none.
  void feed_keys(std::string_view keys, Epoch epoch = kEpochA) {
    for (const char key : keys) local_.on_feed(interest(), one(++top_, key, epoch));
  }
  uint64_t top_ = 10;
};

TEST_F(ConflationTest, GivesTheNewestOfEachKeyInOrder) {
  Subscription& reader = live_with();
  feed_keys("abc");
  EXPECT_EQ(drain(reader), "11 12 13");  // who keeps up sees every one
  const MetricDelta times(R"(parley_overflows_total{cause="latest_bytes"})");
  const MetricDelta skipped(R"(parley_overflow_skipped_total{policy="latest"})");
  const MetricDelta gaps(R"(parley_gaps_total{reason="conflated"})");
  feed_keys("aabcbbda-");
  EXPECT_EQ(drain(reader), "14-16:conflated 17 18-18:conflated 19 20 21 22");
  EXPECT_EQ(times(), 1);
  EXPECT_EQ(skipped(), 4);
  EXPECT_EQ(gaps(), 2);
  feed_keys("bb");
  EXPECT_EQ(drain(reader), "23 24");
}

TEST_F(ConflationTest, WhoIsGivenAllHasSkippedNothing) {
  Subscription& reader = live_with();
  const MetricDelta times(R"(parley_overflows_total{cause="latest_bytes"})");
  feed_keys("abcdefg");
  EXPECT_EQ(drain(reader), "11 12 13 14 15 16 17");
  EXPECT_EQ(times(), 0);
}

TEST_F(ConflationTest, WhatFellOutOfTheTailIsStillTheNewestOfItsKey) {
  Subscription& reader = live_with(4);
  feed_keys("abxxxxxxxxxxxx");
  ASSERT_GT(reader.channel()->tail().base(), 12u);
  EXPECT_EQ(drain(reader), "11 12 13-23:conflated 24");
  EXPECT_TRUE(home_.reads.empty());
}

// A large turn is no slowness, but what is gone is gone.
TEST_F(ConflationTest, WhoFallsOutOfTheTailUnjudgedIsGivenTheNewestToo) {
  Subscription& reader = live_with(4);
  feed_keys("abxxxxxxxxxxxx");
  const Pull first = local_.pull(reader, false);
  ASSERT_EQ(first.kind, Pull::Kind::kPublications);
  EXPECT_EQ(testing::offsets_of(first.publications), (std::vector<uint64_t>{11, 12}));
}

TEST_F(ConflationTest, ItGoesOnWhileOthersAreReplaced) {
  Subscription& reader = live_with();
  feed_keys("abcdabc");
  const Pull gap = local_.pull(reader);
  EXPECT_EQ(gap.gap, (Gap{11, 13, GapReason::kConflated}));
  feed_keys("dd");  // what it would have been given next
  EXPECT_EQ(drain(reader), "14-14:conflated 15 16 17 18 19");
}

TEST_F(ConflationTest, WhereTheOthersAreItIsGivenAll) {
  Subscription& reader = live_with();
  feed_keys("aaaaa");
  EXPECT_EQ(drain(reader), "11-14:conflated 15");
  feed_keys("aaa");
  EXPECT_EQ(drain(reader), "16 17 18");
}

// More keys than there is room for: some have no newest state any more.
TEST_F(ConflationTest, KeysBeyondTheBoundAreToldAsMissing) {
  Subscription& reader = live_with(4);
  feed_keys("abcdefga");
  const MetricDelta skipped(R"(parley_overflow_skipped_total{policy="latest"})");
  EXPECT_EQ(drain(reader), "11-14:overflow 15 16 17 18");
  EXPECT_EQ(skipped(), 4);
}

TEST_F(ConflationTest, HistoryMayStillHaveThem) {
  live_with(4);
  options_->history_size = 100;
  key_ = {"other"};
  top_ = 10;
  Subscription& reader = live();
  feed_keys("abcdefga");
  ReadPage page{.epoch = kEpochA, .base = 0, .top = 18};
  for (uint64_t offset = 11; offset <= 18; ++offset)
    page.publications.push_back(one(offset, "abcdefga"[offset - 11]));
  EXPECT_EQ(waiting_then(reader, std::move(page)), "11 12 13 14 15 16 17 18");
}

TEST_F(ConflationTest, WhoComesBackIsGivenWhatItAskedFor) {
  live_with();
  feed_keys("aaaaaa");
  subscriber_.answers.clear();
  Subscription& back = subscribe(resume(10));
  local_.deliver_ready(100);
  EXPECT_EQ(drain(back), "11 12 13 14 15 16");
  feed_keys("bbbbb");
  EXPECT_EQ(drain(back), "17-20:conflated 21");
}

TEST_F(ConflationTest, ARewoundReaderIsGivenWhatItWasRewoundFor) {
  Subscription& reader = live_with();
  feed_keys("aaabbb");
  EXPECT_EQ(local_.pull(reader).kind, Pull::Kind::kGap);
  local_.rewind(reader, 11);
  EXPECT_EQ(drain(reader), "12 13 14 15 16");
}

TEST_F(ConflationTest, AnotherLifeBeginsWithoutKeys) {
  Subscription& reader = live_with();
  feed_keys("aaabbb");
  EXPECT_EQ(local_.pull(reader).kind, Pull::Kind::kGap);
  local_.on_reset(interest(), {.epoch = kEpochB, .top = 2}, GapReason::kEpochChanged);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed");
  top_ = 2;
  feed_keys("aabab", kEpochB);
  EXPECT_EQ(drain(reader), "3-5:conflated 6 7");
}

TEST_F(ConflationTest, AHoleIsNotConflated) {
  Subscription& reader = live_with();
  feed_keys("abab");
  top_ = 20;
  feed_keys("cdccc");
  EXPECT_EQ(drain(reader), "11-20:overflow 21-21:conflated 22 23-24:conflated 25");
  local_.on_top(interest(), 40, false);
  EXPECT_EQ(drain(reader), "26-40:overflow");
}

TEST_F(ConflationTest, WhatWasRemovedIsNotGiven) {
  Subscription& reader = live_with();
  feed_keys("abcdabcd");
  local_.on_top(interest(), 18, true);
  EXPECT_EQ(drain(reader), "11-18:overflow");
  feed_keys("a");
  EXPECT_EQ(drain(reader), "19");
}

TEST_F(ConflationTest, AQuietChannelKeepsNothing) {
  Subscription& reader = live_with();
  Subscription& slow = subscribe();
  local_.deliver_ready(100);
  feed_keys("abcdabcd");
  drain(reader);
  const auto rest = [&] {
    for (int i = 0; i < 12; ++i) local_.sweep(now_ += seconds(1));
  };
  rest();
  EXPECT_EQ(drain(slow), "11-14:conflated 15 16 17 18") << "somebody still needs it";
  rest();
  EXPECT_TRUE(reader.channel()->tail().empty());
  feed_keys("abab");
  EXPECT_EQ(drain(slow), "19-20:conflated 21 22");
}

// Keys count against the budget of all tails, and are given back with them.
TEST_F(ConflationTest, WhatIsSparedIsSpared) {
  const size_t cost = one(1, 'a')->cost();
  live_with(4);
  LocalChannels small(home_, 12 * cost);
  std::vector<InterestId> interests;
  for (const std::string name : {"a", "b"}) {
    small.subscribe(make(), {name}, options_, {});
    interests.push_back(interest());
    small.on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
  }
  small.deliver_ready(10);
  for (const InterestId& to : interests)
    for (uint64_t offset = 1; offset <= 4; ++offset)
      small.on_feed(to, one(offset, static_cast<char>('a' + offset)));
  Subscription& spared = *subscriptions_[1];
  EXPECT_EQ(small.pull(spared).gap, (Gap{1, 3, GapReason::kOverflow}));
  const Pull newest = small.pull(spared);
  ASSERT_EQ(newest.publications.size(), 1u);
  EXPECT_EQ(newest.publications[0]->offset, 4u);
  small.unsubscribe(*subscriptions_[1], now_);
  small.unsubscribe(*subscriptions_[2], now_);
}

}  // namespace
}  // namespace parley::hub
