#include "hub/home_channels.h"

#include <map>

#include <gtest/gtest.h>

#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::FakeBroker;

// Notes what leaves for each shard as text: "f11" a publication, "t11" a top note, "r11:reason" a
// reset; replies apart.
struct FakeOutlet final : HomeChannels::Outlet {
  struct Answered {
    ShardId to;
    uint64_t waiter;
    std::expected<ReplyBody, HubError> body;
  };
  std::vector<Answered> replies;
  std::map<ShardId, std::string> fed;
  std::map<ShardId, size_t> room;  // absent: unlimited

  void reply(ShardId to, uint64_t waiter, std::expected<ReplyBody, HubError> body) override {
    replies.push_back({to, waiter, std::move(body)});
  }
  bool try_feed(ShardId to, HubMessage& message) override {
    if (const auto found = room.find(to); found != room.end()) {
      if (found->second == 0) return false;
      --found->second;
    }
    std::string& out = fed[to];
    if (!out.empty()) out += ' ';
    if (const auto* feed = std::get_if<Feed>(&message)) {
      out += "f" + std::to_string(feed->publication->offset);
    } else if (const auto* top = std::get_if<TopNote>(&message)) {
      out += "t" + std::to_string(top->top);
    } else {
      const auto& reset = std::get<std::unique_ptr<ResetNote>>(message);
      out += "r" + std::to_string(reset->now.top) + ":" + std::string(to_string(reset->reason));
    }
    message = TopNote{};
    return true;
  }
  std::string take(ShardId shard) { return std::exchange(fed[shard], {}); }
};

class HomeChannelsTest : public ::testing::Test {
 protected:
  HomeChannelsTest() {
    rules_.add("h", {.history_size = 100, .history_ttl = seconds(60)});
    rules_.add("n");
    rules_.add("p", {.presence = true, .join_leave = true});
  }
  void run() {
    while (broker_.run(now_, home_, 100)) {
    }
  }
  void request(ShardId from, RequestBody body) {
    home_.request(from, {++waiter_, std::move(body)}, now_);
  }
  void announce_tops() {
    home_.begin_tops();
    EXPECT_FALSE(home_.announce_tops());
  }
  void retry_lost() {
    home_.begin_retries();
    EXPECT_FALSE(home_.retry_lost());
  }
  void follow(ShardId from, uint32_t sequence = 1, Aspect aspect = Aspect::kMessages) {
    request(from, FollowRequest{{name_, aspect}, {0, sequence}});
  }
  void publish(int count = 1) {
    for (int i = 0; i < count; ++i)
      broker_.append(name_, *rules_.find(name_), std::make_unique<Publication>());
  }
  // Followed by shard 1 at offset 3.
  void followed() {
    publish(3);
    follow(1);
    run();
    outlet_.replies.clear();
  }
  const Attached& attached() { return std::get<Attached>(outlet_.replies.back().body.value()); }
  void present(ShardId from, Change change, const std::string& client) {
    request(from, PresenceChange{name_, change, {.user = "u", .client = client}});
  }

  FakeBroker broker_;
  FakeOutlet outlet_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  HomeChannels home_{broker_, outlet_, rules_, ids_, 2};
  Now now_{Time{seconds(1)}, 1000};
  uint64_t waiter_ = 0;
  std::string name_ = "h:a";
};

TEST_F(HomeChannelsTest, AChannelTakesSoManyOfClients) {
  ChannelOptions options = *rules_.find("n");
  options.publish_rate = {.per_second = 3};
  const auto limited = std::make_shared<const ChannelOptions>(options);
  const auto refused = [&](const std::string& channel, bool metered, int tries) {
    outlet_.replies.clear();
    for (int i = 0; i < tries; ++i) {
      PublishRecord record{.channel = {channel}, .options = limited, .metered = metered};
      record.publication = std::make_unique<Publication>();
      request(0, std::move(record));
    }
    run();
    return std::ranges::count_if(outlet_.replies, [](const FakeOutlet::Answered& answer) {
      return !answer.body && answer.body.error() == HubError::kRateLimited;
    });
  };
  EXPECT_EQ(refused("n:a", true, 10), 7);
  EXPECT_EQ(refused("n:b", true, 3), 0) << "its neighbour";
  EXPECT_EQ(refused("n:a", false, 10), 0) << "the server itself";
  now_.mono += seconds(1);
  EXPECT_EQ(refused("n:a", true, 10), 7);
}

TEST_F(HomeChannelsTest, FollowersAreFedBehindTheTop) {
  publish(3);
  follow(1);
  EXPECT_TRUE(outlet_.replies.empty());
  follow(2);
  run();
  ASSERT_EQ(outlet_.replies.size(), 2u);
  EXPECT_EQ(attached().top, 3u);
  EXPECT_EQ(broker_.attaches(), 1u);
  publish(2);
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5");
  EXPECT_EQ(outlet_.take(2), "f4 f5");
  follow(3);
  EXPECT_EQ(attached().top, 5u);
}

// A broker's feed may bring something twice, and late.
TEST_F(HomeChannelsTest, WhatWasFedIsNotFedAgain) {
  followed();
  publish(2);
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5");
  for (const uint64_t offset : {5, 4})
    home_.on_publication({name_}, broker_.stream(name_).attached_as,
                         testing::make_publication(offset));
  EXPECT_EQ(outlet_.take(1), "");
  follow(2);
  EXPECT_EQ(attached().top, 5u);
}

TEST_F(HomeChannelsTest, UnknownChannel) {
  name_ = "zzz";
  follow(1);
  ASSERT_EQ(outlet_.replies.size(), 1u);
  EXPECT_EQ(outlet_.replies[0].body.error(), HubError::kUnknownChannel);
  EXPECT_EQ(home_.size(), 0u);
}

TEST_F(HomeChannelsTest, AttachErrorsAreAnswered) {
  for (const auto& [error, expected] :
       {std::pair{BrokerError::kUnavailable, HubError::kUnavailable},
        std::pair{BrokerError::kOverloaded, HubError::kOverloaded},
        std::pair{BrokerError::kUnsupported, HubError::kNotAvailable},
        std::pair{BrokerError::kIdempotencyConflict, HubError::kIdempotencyConflict}}) {
    broker_.fail_attach = {error};
    follow(1);
    run();
    EXPECT_EQ(outlet_.replies.back().body.error(), expected);
    EXPECT_EQ(home_.size(), 0u);
  }
  EXPECT_EQ(outlet_.replies.size(), 4u);
  EXPECT_EQ(broker_.attachments(), 0u);
}

TEST_F(HomeChannelsTest, TheLastDropDetaches) {
  followed();
  follow(2);
  home_.drop_interest(1, {"h:a"}, {0, 1});
  home_.drop_interest(1, {"h:b"}, {0, 1});
  EXPECT_EQ(home_.size(), 1u);
  home_.drop_interest(2, {"h:a"}, {0, 1});
  EXPECT_EQ(home_.size(), 0u);
  EXPECT_EQ(broker_.attachments(), 0u);
}

TEST_F(HomeChannelsTest, AStaleDropIsIgnored) {
  followed();
  follow(1, 2);  // the shard follows anew
  home_.drop_interest(1, {"h:a"}, {0, 1});
  publish();
  run();
  EXPECT_EQ(outlet_.take(1), "f4");
}

TEST_F(HomeChannelsTest, AStaleDropLeavesAPendingFollowAlone) {
  broker_.hold = true;
  follow(1, 2);
  home_.drop_interest(1, {"h:a"}, {0, 1});
  EXPECT_EQ(home_.size(), 1u);
  broker_.hold = false;
  run();
  EXPECT_EQ(outlet_.replies.size(), 1u);
}

TEST_F(HomeChannelsTest, AnAttachmentOfAnEarlierLifeIsIgnored) {
  followed();
  const FeedId earlier = broker_.stream("h:a").attached_as;
  broker_.hold = true;
  home_.drop_interest(1, {"h:a"}, {0, 1});
  follow(1, 2);
  // Its place is the same.
  home_.on_attached({"h:a"}, earlier, Attached{.epoch = testing::kEpochB, .top = 1});
  EXPECT_TRUE(outlet_.replies.empty());
  broker_.hold = false;
  run();
  EXPECT_EQ(attached().top, 3u);
}

TEST_F(HomeChannelsTest, AFeedOfAnEarlierLifeIsIgnored) {
  followed();
  const FeedId earlier = broker_.stream("h:a").attached_as;
  home_.drop_interest(1, {"h:a"}, {0, 1});
  // Nobody is there, and then somebody else in its place.
  home_.on_publication({"h:a"}, earlier, testing::make_publication(4));
  name_ = "h:b";
  follow(1, 2);
  run();
  for (const FeedId feed : {earlier, earlier + 1, ~FeedId{0}})
    home_.on_publication({"h:a"}, feed, testing::make_publication(4));
  EXPECT_EQ(outlet_.take(1), "");
  home_.on_publication({"h:b"}, broker_.stream("h:b").attached_as, testing::make_publication(4));
  EXPECT_EQ(outlet_.take(1), "f4");
}

TEST_F(HomeChannelsTest, PublishIsAnsweredAndTimed) {
  followed();
  const auto record = [&](const std::string& key) {
    PublishRecord made{.channel = {"h:a"}, .options = rules_.find("h:a"), .idempotency_key = key};
    made.publication = std::make_unique<Publication>();
    return made;
  };
  request(2, record("k"));
  request(2, record("k"));
  broker_.fail_publish = {};
  run();
  ASSERT_EQ(outlet_.replies.size(), 2u);
  EXPECT_FALSE(std::get<Published>(*outlet_.replies[0].body).duplicate);
  EXPECT_TRUE(std::get<Published>(*outlet_.replies[1].body).duplicate);
  EXPECT_EQ(std::get<Published>(*outlet_.replies[1].body).position.offset, 4u);
  EXPECT_EQ(broker_.stream("h:a").kept.back()->time, 1000);
  EXPECT_EQ(outlet_.take(1), "f4");
  broker_.fail_publish = {BrokerError::kIdempotencyConflict};
  request(2, record("k"));
  run();
  EXPECT_EQ(outlet_.replies.back().body.error(), HubError::kIdempotencyConflict);
}

TEST_F(HomeChannelsTest, ReadAndRemoveHistory) {
  publish(3);
  request(1, ReadRequest{{"h:a"}, {.since = 1, .limit = 10}});
  run();
  EXPECT_EQ(std::get<ReadPage>(*outlet_.replies.back().body).publications.size(), 2u);
  broker_.fail_read = {BrokerError::kUnavailable};
  request(1, ReadRequest{{"h:a"}, {.limit = 10}});
  run();
  EXPECT_EQ(outlet_.replies.back().body.error(), HubError::kUnavailable);
  request(1, RemoveHistoryRequest{{"h:a"}});
  run();
  EXPECT_TRUE(std::holds_alternative<HistoryRemoved>(*outlet_.replies.back().body));
  EXPECT_EQ(broker_.stream("h:a").base, 3u);
}

// --- full rings -----------------------------------------------------------------------------

TEST_F(HomeChannelsTest, AShardWithAFullRingFallsBehindAlone) {
  const testing::MetricDelta behind("parley_shard_behind_total");
  followed();
  follow(2);
  outlet_.room[1] = 1;
  publish(3);
  run();
  EXPECT_EQ(outlet_.take(1), "f4");
  EXPECT_EQ(outlet_.take(2), "f4 f5 f6");
  EXPECT_EQ(behind(), 1);
  EXPECT_TRUE(home_.feed_behind());
  outlet_.room[1] = 1;
  EXPECT_TRUE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "f5");
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "f6");
  publish();
  run();
  EXPECT_EQ(outlet_.take(1), "f7");
}

// A channel that always has more than fits does not keep the others from their turn.
TEST_F(HomeChannelsTest, ChannelsBehindTheSameRingTakeTurns) {
  followed();
  name_ = "h:b";
  follow(1);
  run();
  outlet_.room[1] = 0;
  publish(2);
  name_ = "h:a";
  publish(4);
  run();
  EXPECT_EQ(outlet_.take(1), "");
  std::string fed;
  for (int i = 0; i < 6; ++i) {
    outlet_.room[1] = 1;
    home_.feed_behind();
    fed += outlet_.take(1) + ' ';
  }
  EXPECT_EQ(fed, "f1 f4 f2 f5 f6 f7 ");
}

// However many are behind a ring that is still full.
TEST_F(HomeChannelsTest, ARingThatIsFullKeepsNoOtherWaiting) {
  followed();
  for (const char* name : {"h:b", "h:c"}) {
    name_ = name;
    follow(1);
  }
  follow(2);
  run();
  outlet_.room = {{1, 0}, {2, 0}};
  for (const char* name : {"h:a", "h:b", "h:c"}) {
    name_ = name;
    publish();
  }
  run();
  outlet_.room.erase(2);
  EXPECT_TRUE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(2), "f1");
  EXPECT_TRUE(home_.feed_behind()) << "those behind the first";
  outlet_.room[1] = 2;
  EXPECT_TRUE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1).size(), 5u);
  outlet_.room[1] = 1;
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1).size(), 2u);
}

TEST_F(HomeChannelsTest, WhoLeavesWhileBehindLeavesNothingToFeed) {
  followed();
  follow(2);
  name_ = "h:b";
  follow(1);
  run();
  outlet_.room[1] = 0;
  for (const char* name : {"h:a", "h:b"}) {
    name_ = name;
    publish();
  }
  run();
  home_.drop_interest(1, {"h:a"}, {0, 1});
  EXPECT_TRUE(home_.feed_behind());
  home_.drop_interest(1, {"h:b"}, {0, 1});
  EXPECT_FALSE(home_.feed_behind());
  // It counts anew.
  name_ = "h:a";
  follow(1, 2);
  run();
  publish();
  run();
  EXPECT_TRUE(home_.feed_behind());
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "f5");
}

TEST_F(HomeChannelsTest, AShardThatFallsOutOfTheTailSeesAHole) {
  followed();
  outlet_.room[1] = 0;
  for (int i = 0; i < 5; ++i) {
    auto publication = std::make_unique<Publication>();
    publication->data.assign(100 * 1024, 'x');
    broker_.append(name_, *rules_.find(name_), std::move(publication));
  }
  run();
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "f7 f8");  // prev of 7 is 6: a hole
}

TEST_F(HomeChannelsTest, AResetIsOwedUntilTheRingTakesIt) {
  followed();
  outlet_.room[1] = 0;
  publish();
  run();
  broker_.new_epoch(name_);
  publish(2);
  run();
  EXPECT_EQ(outlet_.take(1), "");
  outlet_.room[1] = 1;
  EXPECT_TRUE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "r0:epoch_changed");
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "f1 f2");
}

TEST_F(HomeChannelsTest, AnOwedEpochChangeSurvivesARollback) {
  followed();
  outlet_.room[1] = 0;
  broker_.new_epoch(name_);
  publish(4);
  broker_.roll_back(name_, 2);
  run();
  outlet_.room.clear();
  home_.feed_behind();
  EXPECT_EQ(outlet_.take(1), "r0:epoch_changed t2");
}

TEST_F(HomeChannelsTest, TwoOwedRollbacksGoBackToTheLower) {
  followed();
  outlet_.room[1] = 0;
  broker_.roll_back(name_, 1);
  publish(5);
  broker_.roll_back(name_, 4);
  publish();
  run();
  outlet_.room.clear();
  home_.feed_behind();
  EXPECT_EQ(outlet_.take(1), "r1:rolled_back f5");
}

TEST_F(HomeChannelsTest, DropWhileBehind) {
  followed();
  outlet_.room[1] = 0;
  publish();
  run();
  home_.drop_interest(1, {"h:a"}, {0, 1});
  EXPECT_FALSE(home_.feed_behind());
}

TEST_F(HomeChannelsTest, TopsAreAnnouncedWhereTheyChanged) {
  followed();
  announce_tops();
  publish();
  run();
  EXPECT_EQ(outlet_.take(1), "f4");
  announce_tops();
  EXPECT_EQ(outlet_.take(1), "t4");
  announce_tops();
  EXPECT_EQ(outlet_.take(1), "");
  publish();
  run();
  outlet_.take(1);
  outlet_.room[1] = 0;
  announce_tops();  // no room, and it has had that one
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  announce_tops();
  EXPECT_EQ(outlet_.take(1), "");
}

TEST_F(HomeChannelsTest, AHoleAtTheEndIsToldAsSoonAsThereIsRoom) {
  name_ = "n:a";
  followed();
  broker_.break_feed(name_);
  publish(3);
  run();
  outlet_.room[1] = 0;
  announce_tops();
  EXPECT_TRUE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "");
  outlet_.room.clear();
  EXPECT_FALSE(home_.feed_behind());
  EXPECT_EQ(outlet_.take(1), "t6") << "not with the next announcement, ten seconds later";
  publish();
  run();
  EXPECT_EQ(outlet_.take(1), "f7");
}

TEST_F(HomeChannelsTest, ADroppedChannelIsNotAnnounced) {
  followed();
  publish();
  run();
  home_.drop_interest(1, {"h:a"}, {0, 1});
  outlet_.take(1);
  announce_tops();
  EXPECT_EQ(outlet_.take(1), "");
}

// --- broken feeds ---------------------------------------------------------------------------

TEST_F(HomeChannelsTest, ABrokenFeedIsMendedFromHistory) {
  followed();
  broker_.break_feed(name_);
  publish(3);
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5 f6");
  publish();
  run();
  EXPECT_EQ(outlet_.take(1), "f7");
}

TEST_F(HomeChannelsTest, OnlyTheBrokenSlotsAttachAgain) {
  followed();
  EXPECT_EQ(broker_.attaches(), 1u);
  home_.on_feed_broken({static_cast<Slot>((slot_of(name_) + 1) % kSlots)});
  EXPECT_EQ(broker_.attaches(), 1u);
  home_.on_feed_broken({slot_of(name_)});
  EXPECT_EQ(broker_.attaches(), 2u);
}

TEST_F(HomeChannelsTest, AFollowWhileCatchingUpWaits) {
  followed();
  broker_.break_feed(name_);
  publish(3);
  broker_.run(now_, home_, 1);  // broken
  broker_.run(now_, home_, 1);  // attached; now reading
  follow(2);
  EXPECT_TRUE(outlet_.replies.empty());
  run();
  EXPECT_EQ(attached().top, 6u);
  EXPECT_EQ(outlet_.take(1), "f4 f5 f6");
  EXPECT_EQ(outlet_.take(2), "");
}

TEST_F(HomeChannelsTest, PublicationsWhileCatchingUpComeInOrder) {
  followed();
  broker_.break_feed(name_);
  publish(2);
  broker_.run(now_, home_, 1);
  publish(1);  // behind the attachment: in the feed, and above the page's place
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5 f6");
}

TEST_F(HomeChannelsTest, WithoutHistoryTheBreakIsAHole) {
  name_ = "n:a";
  followed();
  broker_.break_feed(name_);
  publish(3);
  run();
  EXPECT_EQ(outlet_.take(1), "");
  announce_tops();
  EXPECT_EQ(outlet_.take(1), "t6");
}

TEST_F(HomeChannelsTest, ANewEpochDuringTheBreak) {
  followed();
  broker_.break_feed(name_);
  broker_.new_epoch(name_);
  publish(2);
  run();
  EXPECT_EQ(outlet_.take(1), "r2:epoch_changed");
}

TEST_F(HomeChannelsTest, ARollbackDuringTheBreakBelowTheTop) {
  followed();
  broker_.break_feed(name_);
  broker_.roll_back_silently(name_, 2);
  run();
  EXPECT_EQ(outlet_.take(1), "r2:rolled_back");
}

// The new life has grown beyond the old top: comparing tops alone would miss it.
TEST_F(HomeChannelsTest, ARollbackDuringTheBreakThatGrewAgain) {
  followed();
  broker_.break_feed(name_);
  broker_.roll_back_silently(name_, 2);
  publish(5);
  run();
  EXPECT_EQ(outlet_.take(1), "r2:rolled_back f3 f4 f5 f6 f7");
}

TEST_F(HomeChannelsTest, ACleanRestartDuringTheBreakTellsTheNewGeneration) {
  followed();
  broker_.break_feed(name_);
  broker_.roll_back_silently(name_, 3);
  publish(1);
  run();
  EXPECT_EQ(outlet_.take(1), "r3:rolled_back f4");
}

TEST_F(HomeChannelsTest, AResetWhileCatchingUp) {
  followed();
  broker_.break_feed(name_);
  publish(3);
  broker_.run(now_, home_, 1);
  broker_.run(now_, home_, 1);  // a page of the old life is on its way
  broker_.new_epoch(name_);
  // The reset overtakes the page.
  home_.on_reset({name_}, {.epoch = broker_.stream(name_).epoch}, GapReason::kEpochChanged);
  EXPECT_EQ(outlet_.take(1), "r0:epoch_changed");
  run();
  publish(1);
  run();
  const std::string rest = outlet_.take(1);
  EXPECT_EQ(rest.substr(rest.size() - 2), "f1");
  EXPECT_EQ(rest.find("f4"), std::string::npos);
}

TEST_F(HomeChannelsTest, ABrokenFeedThatCannotBeAttachedIsTriedAgain) {
  followed();
  broker_.break_feed(name_);
  publish(2);
  broker_.fail_attach = {BrokerError::kUnavailable, BrokerError::kUnavailable};
  run();
  EXPECT_EQ(outlet_.take(1), "");
  EXPECT_EQ(broker_.attaches(), 2u);
  follow(2);  // tries at once, and is told
  run();
  EXPECT_EQ(outlet_.replies.back().body.error(), HubError::kUnavailable);
  retry_lost();
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5");
  retry_lost();
  EXPECT_EQ(broker_.attaches(), 4u);
}

TEST_F(HomeChannelsTest, AFailedCatchUpReadIsTriedAgainLater) {
  followed();
  broker_.break_feed(name_);
  publish(2);
  broker_.fail_read = {BrokerError::kOverloaded};
  run();
  EXPECT_EQ(broker_.attaches(), 2u);  // not at once
  EXPECT_EQ(outlet_.take(1), "");
  retry_lost();
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5");
}

TEST_F(HomeChannelsTest, DropWhileLost) {
  followed();
  broker_.break_feed(name_);
  broker_.fail_attach = {BrokerError::kUnavailable};
  run();
  home_.drop_interest(1, {name_}, {0, 1});
  EXPECT_EQ(home_.size(), 0u);
  retry_lost();
  EXPECT_EQ(broker_.attaches(), 2u);
}

TEST_F(HomeChannelsTest, AFeedThatBreaksTwiceIsMendedOnce) {
  followed();
  broker_.break_feed(name_);
  publish(2);
  broker_.run(now_, home_, 1);
  broker_.run(now_, home_, 1);
  broker_.break_feed(name_);
  publish(2);
  run();
  EXPECT_EQ(outlet_.take(1), "f4 f5 f6 f7");
}

// --- presence -------------------------------------------------------------------------------

TEST_F(HomeChannelsTest, PresenceChangesAreFed) {
  name_ = "p:a";
  follow(1, 1, Aspect::kPresence);
  ASSERT_EQ(outlet_.replies.size(), 1u);
  EXPECT_EQ(attached().top, 0u);
  present(2, Change::kEnter, "c1");
  present(2, Change::kEnter, "c1");  // nothing new
  present(2, Change::kEnter, "c2");
  present(2, Change::kEnter, "c3");  // too many
  EXPECT_EQ(outlet_.replies.back().body.error(), HubError::kOverloaded);
  present(2, Change::kLeave, "c1");
  EXPECT_EQ(outlet_.take(1), "f1 f2 f3");
  request(1, PresenceRequest{name_, false});
  const auto& snapshot = std::get<PresenceSnapshot>(*outlet_.replies.back().body);
  ASSERT_EQ(snapshot.members().size(), 1u);
  EXPECT_EQ(snapshot.members()[0].client, "c2");
  EXPECT_EQ(snapshot.position.offset, 3u);
  request(1, PresenceRequest{name_, true});
  EXPECT_EQ(std::get<PresenceCounts>(*outlet_.replies.back().body).clients, 1u);
  request(1, ReadRequest{{name_, Aspect::kPresence}, {.since = 1, .limit = 10}});
  const auto& page = std::get<ReadPage>(*outlet_.replies.back().body);
  EXPECT_EQ(page.base, 3u);  // keeps no history
  EXPECT_TRUE(page.publications.empty());
}

TEST_F(HomeChannelsTest, AFollowerPinsThePresenceStream) {
  name_ = "p:a";
  present(2, Change::kEnter, "c1");
  follow(1, 1, Aspect::kPresence);
  const Epoch epoch = attached().epoch;
  EXPECT_EQ(attached().top, 1u);
  present(2, Change::kLeave, "c1");
  follow(2, 1, Aspect::kPresence);
  EXPECT_EQ(attached().epoch, epoch);
  EXPECT_EQ(attached().top, 2u);
  home_.drop_interest(1, {name_, Aspect::kPresence}, {0, 1});
  home_.drop_interest(2, {name_, Aspect::kPresence}, {0, 1});
  follow(2, 2, Aspect::kPresence);
  EXPECT_NE(attached().epoch, epoch);
  EXPECT_EQ(attached().top, 0u);
}

}  // namespace
}  // namespace parley::hub
