#include "tests/support/local_channels_fixture.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::kEpochA;
using testing::kEpochB;
using testing::make_publication;
using testing::make_run;
using testing::MetricDelta;
using testing::offsets_of;
using Offsets = std::vector<uint64_t>;

TEST_F(LocalChannelsTest, LiveStartsBehindTheTop) {
  Subscription& reader = subscribe();
  EXPECT_EQ(home_.follows.size(), 1u);
  EXPECT_FALSE(reader.idle());
  attached(10);
  EXPECT_EQ(answer().top, (StreamPosition{kEpochA, 10}));
  EXPECT_FALSE(answer().recovered);
  EXPECT_TRUE(reader.live());
  EXPECT_TRUE(subscriber_.dirty.empty());
  feed(11, 12);
  EXPECT_EQ(subscriber_.dirty.size(), 1u);  // once until cleared
  EXPECT_EQ(drain(reader), "11 12");
}

TEST_F(LocalChannelsTest, OneInterestServesAllSubscribers) {
  live();
  subscribe();
  local_.deliver_ready(100);
  EXPECT_EQ(home_.follows.size(), 1u);
  EXPECT_EQ(local_.count("").subscribers.at("news"), 2u);
  EXPECT_EQ(local_.subscriptions(), 2u);
}

TEST_F(LocalChannelsTest, FollowErrorAnswersAllAndForgetsTheChannel) {
  Subscription& a = subscribe();
  Subscription& b = subscribe();
  local_.on_followed(interest(), std::unexpected(HubError::kUnavailable));
  EXPECT_EQ(local_.size(), 0u);
  local_.deliver_ready(1);
  EXPECT_EQ(subscriber_.answers.size(), 1u);  // the budget holds
  local_.deliver_ready(100);
  ASSERT_EQ(subscriber_.answers.size(), 2u);
  EXPECT_EQ(subscriber_.answers[1].result.error(), HubError::kUnavailable);
  EXPECT_TRUE(a.idle());
  EXPECT_TRUE(b.idle());
  // A later attempt is a new one.
  local_.subscribe(a, key_, options_, {});
  EXPECT_EQ(home_.follows.size(), 2u);
  EXPECT_NE(home_.follows[0].second, home_.follows[1].second);
}

TEST_F(LocalChannelsTest, RefuseIsDeliveredLater) {
  Subscription& reader = make();
  local_.refuse(reader, HubError::kUnknownChannel);
  EXPECT_TRUE(subscriber_.answers.empty());
  EXPECT_TRUE(local_.has_ready());
  local_.deliver_ready(1);
  EXPECT_FALSE(local_.has_ready());
  ASSERT_EQ(subscriber_.answers.size(), 1u);
  EXPECT_TRUE(reader.idle());
}

TEST_F(LocalChannelsTest, StaleInterestIsNotBelieved) {
  Subscription& reader = live();
  InterestId stale = interest();
  ++stale.sequence;
  local_.on_feed(stale, make_publication(11));
  local_.on_top(stale, 99, false);
  local_.on_reset(stale, {.epoch = kEpochB}, GapReason::kEpochChanged);
  local_.on_page(stale, ReadPage{});
  local_.on_followed(stale, std::unexpected(HubError::kUnavailable));
  local_.on_feed({77, 1}, make_publication(11));
  EXPECT_EQ(drain(reader), "");
  EXPECT_EQ(reader.channel()->tail().top(), 10u);
}

// --- unsubscribe in every state -------------------------------------------------------------

TEST_F(LocalChannelsTest, UnsubscribeWhileFollowing) {
  Subscription& reader = subscribe();
  local_.unsubscribe(reader, now_);
  EXPECT_TRUE(reader.idle());
  local_.release(now_ + seconds(60));
  EXPECT_TRUE(home_.drops.empty());  // the follow is still on its way
  attached(10);
  EXPECT_TRUE(subscriber_.answers.empty());
  local_.release(now_ + seconds(60));
  EXPECT_EQ(home_.drops.size(), 1u);
  EXPECT_EQ(local_.size(), 0u);
}

TEST_F(LocalChannelsTest, UnsubscribeBeforeTheAnswerIsDelivered) {
  Subscription& reader = subscribe();
  local_.on_followed(interest(), Attached{.epoch = kEpochA, .top = 5});
  local_.unsubscribe(reader, now_);
  local_.deliver_ready(100);
  EXPECT_TRUE(subscriber_.answers.empty());
  EXPECT_EQ(local_.subscriptions(), 0u);
}

TEST_F(LocalChannelsTest, UnsubscribeBeforeARefusalIsDelivered) {
  Subscription& reader = make();
  local_.refuse(reader, HubError::kOverloaded);
  local_.unsubscribe(reader, now_);
  local_.unsubscribe(reader, now_);  // idle: nothing happens
  local_.deliver_ready(100);
  EXPECT_TRUE(subscriber_.answers.empty());
}

TEST_F(LocalChannelsTest, UnsubscribeWhileWaitingForAPage) {
  live();
  Subscription& reader = subscribe(recover(3));
  ASSERT_EQ(home_.reads.size(), 1u);
  local_.unsubscribe(reader, now_);
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(4, 10)});
  EXPECT_TRUE(subscriber_.answers.empty());
}

TEST_F(LocalChannelsTest, UnsubscribeKeepsTheOthersInPlace) {
  Subscription& a = live();
  Subscription& b = subscribe();
  Subscription& c = subscribe();
  local_.deliver_ready(100);
  local_.unsubscribe(a, now_);
  local_.unsubscribe(c, now_);
  feed(11, 11);
  EXPECT_EQ(drain(b), "11");
  local_.unsubscribe(b, now_);
  EXPECT_EQ(local_.subscriptions(), 0u);
}

TEST_F(LocalChannelsTest, InterestLingers) {
  Subscription& reader = live();
  local_.unsubscribe(reader, now_);
  local_.release(now_ + milliseconds(4900));
  EXPECT_TRUE(home_.drops.empty());
  home_.room = false;
  local_.release(now_ + seconds(5));
  EXPECT_EQ(local_.size(), 1u);  // no room to say so: asked again
  home_.room = true;
  local_.release(now_ + seconds(6));
  EXPECT_EQ(local_.size(), 0u);
}

TEST_F(LocalChannelsTest, LingerCountsFromTheLastUnsubscribe) {
  Subscription& reader = live();
  local_.unsubscribe(reader, now_);
  local_.subscribe(reader, key_, options_, {});
  local_.deliver_ready(100);
  local_.unsubscribe(reader, now_ + seconds(4));
  local_.release(now_ + seconds(6));
  EXPECT_TRUE(home_.drops.empty());
  local_.release(now_ + seconds(9));
  EXPECT_EQ(home_.drops.size(), 1u);
}

TEST_F(LocalChannelsTest, AChannelIsFollowedAnewAfterItWasDropped) {
  Subscription& reader = live();
  local_.unsubscribe(reader, now_);
  local_.release(now_ + seconds(5));
  const InterestId old = interest();
  local_.subscribe(reader, key_, options_, {});
  EXPECT_NE(interest(), old);
  local_.on_feed(old, make_publication(11));  // still in the ring
  attached(11);
  EXPECT_EQ(drain(reader), "");
}

// --- kRecover -------------------------------------------------------------------------------

// What one client can make grow by subscribing to ever new names.
TEST_F(LocalChannelsTest, LingeringChannelsAreBounded) {
  Subscription& one = make();
  const size_t extra = 1000;
  for (size_t i = 0; i < LocalChannels::kMaxIdle + extra; ++i) {
    local_.subscribe(one, {"c" + std::to_string(i)}, options_, {});
    attached(0);
    local_.unsubscribe(one, now_);
  }
  while (local_.release(now_)) continue;
  EXPECT_EQ(home_.drops.size(), extra);
  EXPECT_EQ(local_.size(), LocalChannels::kMaxIdle);
  // The oldest went.
  EXPECT_EQ(home_.drops[0], home_.follows[0].second);
}

// A ring holds far fewer messages than there may be channels to let go.
TEST_F(LocalChannelsTest, WhatFindsNoRoomIsLetGoAsSoonAsThereIsSome) {
  Subscription& one = make();
  for (size_t i = 0; i < 300; ++i) {
    local_.subscribe(one, {"c" + std::to_string(i)}, options_, {});
    attached(0);
    local_.unsubscribe(one, now_);
  }
  EXPECT_FALSE(local_.release(now_));
  home_.room = false;
  EXPECT_TRUE(local_.release(now_ + seconds(5)));
  home_.room = true;
  while (local_.release(now_ + seconds(5))) continue;
  EXPECT_EQ(local_.size(), 0u);
}

TEST_F(LocalChannelsTest, RecoverFromTheTail) {
  live();
  feed(11, 13);
  subscribe(recover(11));
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{12, 13}));
  EXPECT_EQ(answer().top.offset, 13u);
  EXPECT_TRUE(home_.reads.empty());
}

TEST_F(LocalChannelsTest, RewindReadsAgain) {
  Subscription& reader = live();
  feed(11, 13);
  EXPECT_EQ(drain(reader), "11 12 13");
  local_.rewind(reader, 11);
  EXPECT_TRUE(reader.dirty);
  EXPECT_EQ(drain(reader), "12 13");
  // Never forward, and not across a reset that is not told yet.
  local_.rewind(reader, 99);
  EXPECT_EQ(drain(reader), "");
  local_.on_reset(interest(), Attached{.epoch = kEpochB, .base = 2, .top = 2},
                  GapReason::kEpochChanged);
  local_.rewind(reader, 1);
  EXPECT_EQ(drain(reader), "0-2:epoch_changed");
}

TEST_F(LocalChannelsTest, RecoverAtTheTopMissesNothing) {
  live();
  Subscription& reader = subscribe(recover(10));
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().recovered);
  EXPECT_TRUE(answer().missed.empty());
  EXPECT_EQ(reader.position(), 10u);
}

TEST_F(LocalChannelsTest, RecoverReadsPagesUntilTheTailIsReached) {
  live(10);
  Subscription& reader = subscribe(recover(3));
  ASSERT_EQ(home_.reads.size(), 1u);
  EXPECT_EQ(home_.reads[0].query.since, 3u);
  feed(11, 11);
  page({.epoch = kEpochA, .base = 0, .top = 11, .publications = make_run(4, 7)});
  EXPECT_TRUE(subscriber_.answers.empty());
  ASSERT_EQ(home_.reads.size(), 2u);
  EXPECT_EQ(home_.reads[1].query.since, 7u);
  page({.epoch = kEpochA, .base = 0, .top = 11, .publications = make_run(8, 11)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(reader.position(), 11u);
}

// A page may be ahead of the feed: replies have reserved room, the feed falls behind.
TEST_F(LocalChannelsTest, RecoverFromAPageAheadOfTheFeed) {
  live(10);
  Subscription& reader = subscribe(recover(3));
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(4, 13)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(answer().missed.size(), 10u);
  EXPECT_EQ(answer().top.offset, 13u);
  EXPECT_EQ(home_.reads.size(), 1u);
  EXPECT_EQ(drain(reader), "");
  feed(11, 14);
  EXPECT_EQ(drain(reader), "14");
}

TEST_F(LocalChannelsTest, RecoverIsRefusedAboveTheLimit) {
  live();
  feed(11, 13);
  subscribe(recover(10, kEpochA, 2));
  local_.deliver_ready(100);
  EXPECT_FALSE(answer().recovered);
  EXPECT_TRUE(answer().missed.empty());
  EXPECT_EQ(answer().top.offset, 13u);
  subscriber_.answers.clear();
  Subscription& deep = subscribe(recover(3, kEpochA, 3));
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(4, 13)});
  EXPECT_FALSE(answer().recovered);
  EXPECT_EQ(deep.position(), 13u);
}

// From the tail, and from a page of history.
TEST_F(LocalChannelsTest, AsManyAsTheLimitAreRecovered) {
  live();
  feed(11, 13);
  subscribe(recover(10, kEpochA, 3));
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().recovered);
  subscriber_.answers.clear();
  subscribe(recover(8, kEpochA, 5));
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(9, 13)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(answer().missed.size(), 5u);
}

TEST_F(LocalChannelsTest, RecoverBehindRetentionIsNotRecovered) {
  live();
  Subscription& reader = subscribe(recover(3));
  page({.epoch = kEpochA, .base = 6, .top = 10, .publications = make_run(7, 10)});
  EXPECT_FALSE(answer().recovered);
  EXPECT_EQ(reader.position(), 10u);
}

TEST_F(LocalChannelsTest, RecoverOfAnotherEpochIsNotRecovered) {
  live();
  for (const Epoch& epoch : {kEpochB, Epoch{9, 1}}) {
    subscribe(recover(10, epoch));
    page({.epoch = kEpochA, .base = 10, .top = 10});
    EXPECT_FALSE(answer().recovered);
    subscriber_.answers.clear();
  }
  Subscription& impossible = make();
  local_.subscribe(impossible, key_, options_, {Start::Kind::kRecover, std::nullopt, 10});
  local_.deliver_ready(100);
  EXPECT_FALSE(answer().recovered);
}

TEST_F(LocalChannelsTest, AnUnknownEpochMatchesAny) {
  live();
  subscribe(recover(10, Epoch{}));
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().recovered);
}

TEST_F(LocalChannelsTest, GenerationsEndWhereTheyEnd) {
  Epoch now = kEpochA;
  now.generation = 1;
  subscribe();
  local_.on_followed(interest(),
                     Attached{.epoch = now, .base = 0, .top = 10, .generation_ends = {8}});
  for (auto& publication : make_run(11, 12, now)) local_.on_feed(interest(), publication);
  local_.deliver_ready(100);
  subscriber_.answers.clear();
  const auto recovered = [&](Start start) {
    subscribe(std::move(start));
    if (!home_.reads.empty()) {
      home_.reads.clear();
      page({.epoch = now, .base = 0, .top = 12, .publications = make_run(9, 12, now)});
    }
    local_.deliver_ready(100);
    const bool result = answer().recovered;
    subscriber_.answers.clear();
    return result;
  };
  EXPECT_TRUE(recovered(recover(8, kEpochA)));
  EXPECT_FALSE(recovered(recover(9, kEpochA)));
  EXPECT_TRUE(recovered(recover(11, now)));
  Epoch later = now;
  later.generation = 2;  // a life that this stream has not had
  EXPECT_FALSE(recovered(recover(11, later)));
  EXPECT_EQ(drain(subscribe(resume(9, kEpochA))), "");
  local_.deliver_ready(100);
  EXPECT_EQ(drain(*subscriptions_.back()), "9-9:rolled_back waiting");
}

TEST_F(LocalChannelsTest, APageErrorAnswersRecoverAndKeepsLiveReaders) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  subscribe(recover(3));
  EXPECT_EQ(home_.reads.size(), 1u);  // single-flight
  local_.on_page(interest(), std::unexpected(HubError::kOverloaded));
  local_.deliver_ready(100);
  ASSERT_EQ(subscriber_.answers.size(), 1u);
  EXPECT_EQ(subscriber_.answers[0].result.error(), HubError::kOverloaded);
  EXPECT_EQ(home_.reads.size(), 1u);
  local_.sweep(now_);
  ASSERT_EQ(home_.reads.size(), 2u);
  EXPECT_EQ(home_.reads[1].query.since, 10u);
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(11, 20)});
  EXPECT_EQ(drain(slow), "11 12 13 14 15 16 17 18 19 20");
}

// --- kResume and slow readers ---------------------------------------------------------------

TEST_F(LocalChannelsTest, ResumeServesFromTheCursor) {
  live();
  feed(11, 13);
  Subscription& reader = subscribe(resume(11));
  local_.deliver_ready(100);
  EXPECT_TRUE(answer().missed.empty());
  EXPECT_TRUE(reader.dirty);
  EXPECT_EQ(drain(reader), "12 13");
}

TEST_F(LocalChannelsTest, ResumeIsToldWhatIsGone) {
  live();
  Subscription& reader = subscribe(resume(3));
  local_.deliver_ready(100);
  EXPECT_EQ(waiting_then(reader,
                         {.epoch = kEpochA, .base = 6, .top = 10, .publications = make_run(7, 10)}),
            "4-6:retention 7 8 9 10");
}

TEST_F(LocalChannelsTest, ResumeOfAnotherEpoch) {
  const MetricDelta gaps(R"(parley_gaps_total{reason="epoch_changed"})");
  live();
  Subscription& reader = subscribe(resume(3, kEpochB));
  page({.epoch = kEpochA, .base = 10, .top = 10});
  EXPECT_EQ(drain(reader), "0-10:epoch_changed");
  EXPECT_EQ(gaps(), 1);
  feed(11, 11);
  EXPECT_EQ(drain(reader), "11");
}

// Another shard may be ahead of this one: only the home knows whether the position exists.
TEST_F(LocalChannelsTest, ResumeAheadOfTheTailAsksTheHome) {
  live(10);
  Subscription& reader = subscribe(resume(12));
  local_.deliver_ready(100);
  EXPECT_TRUE(subscriber_.answers.empty());
  ASSERT_EQ(home_.reads.size(), 1u);
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(13, 13)});
  EXPECT_EQ(answer().top.offset, 12u);
  EXPECT_EQ(reader.position(), 12u);
  feed(11, 13);
  EXPECT_EQ(drain(reader), "13");
}

// A page that was asked for earlier may have been read before the position existed.
TEST_F(LocalChannelsTest, ResumeAheadDoesNotBelieveAnOlderPage) {
  live(10);
  subscribe(recover(3));
  Subscription& reader = subscribe(resume(12));
  ASSERT_EQ(home_.reads.size(), 1u);
  page({.epoch = kEpochA, .base = 0, .top = 10, .publications = make_run(4, 10)});
  ASSERT_EQ(subscriber_.answers.size(), 1u);  // only the other reader's
  ASSERT_EQ(home_.reads.size(), 2u);
  page({.epoch = kEpochA, .base = 0, .top = 12});
  EXPECT_EQ(subscriber_.answers.size(), 2u);
  EXPECT_EQ(reader.position(), 12u);
  EXPECT_EQ(drain(reader), "");
}

TEST_F(LocalChannelsTest, ResumeAheadOfTheStreamWasRolledBack) {
  live(10);
  Subscription& reader = subscribe(resume(12));
  page({.epoch = kEpochA, .base = 0, .top = 10});
  EXPECT_EQ(answer().top.offset, 10u);
  EXPECT_EQ(drain(reader), "11-12:rolled_back");
  feed(11, 11);
  EXPECT_EQ(drain(reader), "11");
}

TEST_F(LocalChannelsTest, RecoverAheadOfTheTailAsksTheHome) {
  live(10);
  Subscription& reader = subscribe(recover(12));
  ASSERT_EQ(home_.reads.size(), 1u);
  page({.epoch = kEpochA, .base = 0, .top = 13, .publications = make_run(13, 13)});
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(offsets_of(answer().missed), (Offsets{13}));
  EXPECT_EQ(reader.position(), 13u);
  subscriber_.answers.clear();
  subscribe(recover(15));
  page({.epoch = kEpochA, .base = 0, .top = 13});
  EXPECT_FALSE(answer().recovered);
}

TEST_F(LocalChannelsTest, ASlowReaderReadsOnFromHistory) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  ASSERT_EQ(home_.reads.size(), 1u);
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(11, 15)});
  EXPECT_EQ(drain(slow), "11 12 13 14 15 waiting");
  EXPECT_EQ(home_.reads.back().query.since, 15u);
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(16, 20)});
  EXPECT_EQ(drain(slow), "16 17 18 19 20");
  feed(21, 21);
  EXPECT_EQ(drain(slow), "21");
  EXPECT_EQ(home_.reads.size(), 2u);
}

TEST_F(LocalChannelsTest, FallenOutOfTailAndHistoryIsTold) {
  const MetricDelta gaps(R"(parley_gaps_total{reason="retention"})");
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(waiting_then(
                slow, {.epoch = kEpochA, .base = 15, .top = 20, .publications = make_run(16, 20)}),
            "11-15:retention 16 17 18 19 20");
  EXPECT_EQ(gaps(), 1);
}

TEST_F(LocalChannelsTest, WithoutHistoryTheGapIsAnOverflow) {
  const MetricDelta gaps(R"(parley_gaps_total{reason="overflow"})");
  options_->history_size = 0;
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(waiting_then(slow, {.epoch = kEpochA, .base = 20, .top = 20}),
            "11-17:overflow 18 19 20");
  EXPECT_EQ(gaps(), 1);
}

// History may keep less than the tail: what the tail holds is delivered all the same.
TEST_F(LocalChannelsTest, TheTailReachesFurtherBackThanHistory) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(waiting_then(
                slow, {.epoch = kEpochA, .base = 19, .top = 20, .publications = make_run(20, 20)}),
            "11-17:retention 18 19 20");
}

TEST_F(LocalChannelsTest, TheTailMovesOnBetweenGapAndPull) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(drain(slow), "waiting");
  page({.epoch = kEpochA, .base = 19, .top = 20, .publications = make_run(20, 20)});
  const Pull gap = local_.pull(slow);
  EXPECT_EQ(gap.gap, (Gap{11, 17, GapReason::kRetention}));
  feed(21, 22);  // the tail now stands behind 19
  EXPECT_EQ(waiting_then(
                slow, {.epoch = kEpochA, .base = 19, .top = 22, .publications = make_run(20, 22)}),
            "18-19:retention 20 21 22");
}

TEST_F(LocalChannelsTest, AReaderOnAPageAheadOfTheFeedWaitsForTheFeed) {
  Subscription& slow = live();
  feed(11, 20);
  EXPECT_EQ(waiting_then(
                slow, {.epoch = kEpochA, .base = 0, .top = 23, .publications = make_run(11, 23)}),
            "11 12 13 14 15 16 17 18 19 20 21 22 23");
  EXPECT_EQ(drain(slow), "");
  EXPECT_EQ(home_.reads.size(), 1u);
  feed(21, 24);
  EXPECT_EQ(drain(slow), "24");
}

TEST_F(LocalChannelsTest, OnePageServesReadersAtDifferentPlaces) {
  Subscription& first = live();
  Subscription& second = subscribe();
  local_.deliver_ready(100);
  feed(11, 12);
  EXPECT_EQ(drain(second), "11 12");
  feed(13, 20);
  EXPECT_EQ(drain(second), "waiting");
  EXPECT_EQ(drain(first), "waiting");  // behind the page that is on its way
  ASSERT_EQ(home_.reads.size(), 1u);
  EXPECT_EQ(home_.reads[0].query.since, 12u);
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(13, 20)});
  EXPECT_EQ(drain(second), "13 14 15 16 17 18 19 20");
  EXPECT_EQ(drain(first), "waiting");
  ASSERT_EQ(home_.reads.size(), 2u);
  EXPECT_EQ(home_.reads[1].query.since, 10u);
  page({.epoch = kEpochA, .base = 0, .top = 20, .publications = make_run(11, 20)});
  EXPECT_EQ(drain(first), "11 12 13 14 15 16 17 18 19 20");
}

TEST_F(LocalChannelsTest, AHoleInTheFeedIsReadFromHistory) {
  Subscription& reader = live();
  feed(11, 11);
  EXPECT_EQ(drain(reader), "11");
  feed(14, 14);
  EXPECT_EQ(waiting_then(
                reader, {.epoch = kEpochA, .base = 0, .top = 14, .publications = make_run(12, 14)}),
            "12 13 14");
}

TEST_F(LocalChannelsTest, DuplicatesInTheFeedAreDropped) {
  Subscription& reader = live();
  feed(11, 12);
  feed(11, 12);
  EXPECT_EQ(drain(reader), "11 12");
}

TEST_F(LocalChannelsTest, ATopNoteShowsAHoleAtTheEnd) {
  Subscription& reader = live();
  local_.on_top(interest(), 10, false);
  EXPECT_TRUE(subscriber_.dirty.empty());
  local_.on_top(interest(), 12, false);
  EXPECT_EQ(subscriber_.dirty.size(), 1u);
  EXPECT_EQ(waiting_then(
                reader, {.epoch = kEpochA, .base = 0, .top = 12, .publications = make_run(11, 12)}),
            "11 12");
}

// A page with a hole inside tells it, whatever the broker's reason.
TEST_F(LocalChannelsTest, AHoleInsideAPageIsTold) {
  Subscription& slow = live();
  feed(11, 20);
  auto run = make_run(11, 20);
  run.erase(run.begin() + 3, run.begin() + 5);
  EXPECT_EQ(waiting_then(slow, {.epoch = kEpochA, .base = 0, .top = 20, .publications = run}),
            "11 12 13 14-15:retention 16 17 18 19 20");
}

// A stream may end in offsets that hold nothing; asking for them again and again would never end.
TEST_F(LocalChannelsTest, AnEmptyPageLeadsToItsTop) {
  Subscription& reader = live();
  subscribe(recover(8));
  local_.on_top(interest(), 12, false);
  EXPECT_EQ(waiting_then(reader, {.epoch = kEpochA, .base = 0, .top = 12}), "");
  EXPECT_EQ(reader.position(), 12u);
  EXPECT_TRUE(answer().recovered);
  EXPECT_EQ(answer().top.offset, 12u);
  EXPECT_EQ(home_.reads.size(), 1u);
}

// --- memory ---------------------------------------------------------------------------------

TEST_F(LocalChannelsTest, AQuietChannelKeepsNoTail) {
  Subscription& reader = live();
  feed(11, 12);
  EXPECT_EQ(drain(reader), "11 12");
  local_.sweep(now_);
  local_.sweep(now_ + seconds(9));
  EXPECT_FALSE(reader.channel()->tail().empty());
  local_.sweep(now_ + seconds(10));
  EXPECT_TRUE(reader.channel()->tail().empty());
  feed(13, 13);
  EXPECT_EQ(drain(reader), "13");
}

TEST_F(LocalChannelsTest, AQuietChannelKeepsItsTailForALaggingReader) {
  Subscription& reader = live();
  feed(11, 12);
  local_.sweep(now_);
  local_.sweep(now_ + seconds(10));
  EXPECT_EQ(drain(reader), "11 12");
  local_.sweep(now_ + seconds(20));
  EXPECT_TRUE(reader.channel()->tail().empty());
}

TEST_F(LocalChannelsTest, AllTailsTogetherHaveABudget) {
  const MetricDelta spared("parley_tails_spared_total");
  LocalChannels small(home_, options_->tail_bytes * 2);
  std::vector<InterestId> interests;
  for (const std::string name : {"a", "b", "c"}) {
    small.subscribe(make(), {name}, options_, {});
    interests.push_back(interest());
    small.on_followed(interest(), Attached{.epoch = kEpochA, .base = 0, .top = 0});
  }
  small.deliver_ready(10);
  for (const InterestId& to : interests)
    for (auto& publication : make_run(1, 3, kEpochA)) small.on_feed(to, publication);
  EXPECT_GE(spared(), 1);
  // "a" was fed longest ago: its reader goes on from history.
  EXPECT_EQ(small.pull(*subscriptions_[0]).kind, Pull::Kind::kWaiting);
  EXPECT_EQ(home_.reads.back().interest, interests[0]);
  EXPECT_EQ(small.pull(*subscriptions_[1]).publications.size(), 3u);
  EXPECT_EQ(small.pull(*subscriptions_[2]).publications.size(), 3u);
  for (auto& subscription : subscriptions_) small.unsubscribe(*subscription, now_);
}

TEST_F(LocalChannelsTest, CountsByGlob) {
  live();
  EXPECT_EQ(local_.count("n*s").subscribers.size(), 1u);
  EXPECT_EQ(local_.count("x*").subscribers.size(), 0u);
}

}  // namespace
}  // namespace parley::hub
