#include "hub/hub.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/metrics.h"
#include "tests/support/fake_broker.h"
#include "tests/support/hub_fakes.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

using testing::FakeBroker;
using testing::FakeRequester;
using testing::FakeSubscriber;
using testing::MetricDelta;

// Keeps what is sent to other shards until the test looks.
struct FakePost final : Post {
  size_t credits = 2;
  bool room = true;
  std::vector<HubMessage> sent;
  bool take_credit(ShardId) override {
    if (credits == 0) return false;
    --credits;
    return true;
  }
  void send_request(ShardId, HubMessage message) override { sent.push_back(std::move(message)); }
  void send_reply(ShardId, HubMessage message) override { sent.push_back(std::move(message)); }
  bool try_send(ShardId, HubMessage& message) override {
    if (room) sent.push_back(std::move(message));
    return room;
  }
};

class HubTest : public ::testing::Test {
 protected:
  HubTest() {
    rules_.add("h", {.history_size = 100, .history_ttl = seconds(60)});
    rules_.add("n", {.kinds = {true, false, false}});
    rules_.add("p", {.presence = true, .join_leave = true});
    rules_.add("q", {.presence = true});
    me_ = hub_.add(requester_);
    turn();  // the periodic work of the first turn
  }
  ~HubTest() override { hub_.unsubscribe(subscription_); }

  static std::string homed(const SlotTable& slots, ShardId shard,
                           const std::string& prefix = "h:") {
    for (int i = 0;; ++i)
      if (std::string name = prefix + std::to_string(i); slots.home(name) == shard) return name;
  }
  Pace turn(Duration passed = milliseconds(1)) {
    now_.mono += passed;
    return hub_.turn(now_);
  }
  static PublishRecord record(const std::string& channel, ContentKind kind = ContentKind::kJson) {
    PublishRecord made{.channel = {channel}};
    made.publication = std::make_unique<Publication>();
    made.publication->kind = kind;
    made.publication->data = "1";
    return made;
  }
  void publish(const std::string& channel, StepId step = 0) {
    hub_.publish(me_, step, record(channel));
  }
  uint64_t sent_waiter(size_t index) {
    return std::get<std::unique_ptr<Request>>(post_.sent[index])->waiter;
  }
  void reply(uint64_t waiter, std::expected<ReplyBody, HubError> body) {
    hub_.receive(1, std::make_unique<Reply>(Reply{waiter, std::move(body)}));
  }
  HubError last_error() {
    return requester_.answers.at(requester_.answers.size() - 1).second.error();
  }

  SlotTable slots_{2};
  FakeBroker broker_;
  FakePost post_;
  testing::NamespaceRules rules_;
  testing::SeededIds ids_{1};
  HubOptions options_{.parked_requests = 2};
  Hub hub_{options_, slots_, broker_, post_, rules_, ids_};
  FakeRequester requester_;
  RequesterId me_;
  FakeSubscriber subscriber_;
  Subscription subscription_{subscriber_, 0};
  Now now_{Time{seconds(1)}, 5};
  std::string here_ = homed(slots_, 0), there_ = homed(slots_, 1);
};

// What sessions do with the records that they use again.
TEST_F(HubTest, AClearedRecordIsAsANewOne) {
  PublishRecord used{.channel = {"a", Aspect::kPresence},
                     .options = rules_.find("h:1"),
                     .publication = std::make_shared<Publication>(),
                     .principal = "p",
                     .idempotency_key = "k",
                     .ack = AckLevel::kDurable,
                     .skip_history = true,
                     .metered = true,
                     .version = 7,
                     .version_epoch = "e"};
  used.clear();
  // Names every member: one that is added must be cleared, too.
  const auto& [channel, options, publication, principal, key, ack, skip, metered, version, epoch] =
      used;
  EXPECT_EQ(channel, ChannelKey());
  EXPECT_EQ(options, nullptr);
  EXPECT_EQ(publication, nullptr);
  EXPECT_EQ(principal + key + epoch, "");
  EXPECT_EQ(ack, AckLevel::kAccepted);
  EXPECT_FALSE(skip || metered);
  EXPECT_EQ(version, 0u);
}

TEST_F(HubTest, NothingIsAnsweredBeforeTheCallReturned) {
  hub_.subscribe(subscription_, {here_}, {});
  publish(here_, 7);
  hub_.presence(me_, 8, here_);
  EXPECT_TRUE(subscriber_.answers.empty());
  EXPECT_TRUE(requester_.answers.empty());
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(subscriber_.answers.size(), 1u);
  ASSERT_EQ(requester_.answers.size(), 2u);
  EXPECT_EQ(hub_.channels_followed(), 1u);
  EXPECT_EQ(hub_.channels_homed(), 1u);
}

TEST_F(HubTest, APublicationIsMarkedBeforeItsReply) {
  hub_.subscribe(subscription_, {here_}, {});
  turn();
  struct Order final : Requester {
    FakeSubscriber& subscriber;
    size_t dirty_before = 0;
    explicit Order(FakeSubscriber& s) : subscriber(s) {}
    void on_answer(StepId, Answer) override { dirty_before = subscriber.dirty.size(); }
  } order(subscriber_);
  const RequesterId id = hub_.add(order);
  hub_.publish(id, 1, record(here_));
  turn();
  EXPECT_EQ(order.dirty_before, 1u);
  hub_.remove(id);
}

TEST_F(HubTest, APublishToThisShardKeepsItsPlaceAmongRequests) {
  publish(here_, 1);
  // Nothing else is on its way, so the broker has it already; its answer is still to come.
  EXPECT_TRUE(hub_.has_work());
  hub_.remove_history(me_, 2, here_);
  publish(here_, 3);
  EXPECT_TRUE(requester_.answers.empty());
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_FALSE(hub_.has_work());
  hub_.history(me_, 4, here_, {.limit = 10});
  turn();
  std::vector<StepId> steps;
  for (const auto& [step, answer] : requester_.answers) steps.push_back(step);
  EXPECT_EQ(steps, (std::vector<StepId>{1, 2, 3, 4}));
  const auto& page = std::get<ReadPage>(*requester_.answers.back().second);
  ASSERT_EQ(page.publications.size(), 1u);
  EXPECT_EQ(page.publications[0]->offset, 2u);
}

TEST_F(HubTest, Refusals) {
  const MetricDelta unknown(R"(parley_hub_refused_total{reason="unknown_channel"})");
  const MetricDelta kind(R"(parley_hub_refused_total{reason="unsupported_kind"})");
  const MetricDelta not_available(R"(parley_hub_refused_total{reason="not_available"})");
  publish("unknown:1", 1);
  hub_.publish(me_, 2, record("n:1", ContentKind::kBinary));
  hub_.history(me_, 3, "unknown:1", {});
  hub_.history(me_, 4, "n:1", {});
  hub_.remove_history(me_, 5, "unknown:1");
  hub_.remove_history(me_, 6, "n:1");
  hub_.presence(me_, 7, "unknown:1");
  hub_.presence(me_, 8, "n:1");
  hub_.presence_counts(me_, 9, "unknown:1");
  hub_.presence_counts(me_, 10, "n:1");
  PublishRecord presence = record("p:1");
  presence.channel.aspect = Aspect::kPresence;
  hub_.publish(me_, 11, std::move(presence));
  turn();
  const HubError expected[] = {
      HubError::kUnknownChannel, HubError::kUnsupportedKind, HubError::kUnknownChannel,
      HubError::kNotAvailable,   HubError::kUnknownChannel,  HubError::kNotAvailable,
      HubError::kUnknownChannel, HubError::kNotAvailable,    HubError::kUnknownChannel,
      HubError::kNotAvailable,   HubError::kNotAvailable};
  ASSERT_EQ(requester_.answers.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(requester_.answers[i].first, i + 1);
    EXPECT_EQ(requester_.answers[i].second.error(), expected[i]) << i;
  }
  EXPECT_EQ(unknown(), 5);
  EXPECT_EQ(kind(), 1);
  EXPECT_EQ(not_available(), 5);
}

TEST_F(HubTest, SubscribeRefusals) {
  const MetricDelta unknown(R"(parley_hub_refused_total{reason="unknown_channel"})");
  hub_.subscribe(subscription_, {"unknown:1"}, {});
  turn();
  EXPECT_EQ(subscriber_.answers.at(0).result.error(), HubError::kUnknownChannel);
  EXPECT_EQ(unknown(), 1);
  EXPECT_EQ(hub_.channels_followed(), 0u);
}

TEST_F(HubTest, ARemovedRequesterIsNotCalled) {
  publish(here_);
  hub_.remove(me_);
  FakeRequester other;
  const RequesterId next = hub_.add(other);
  EXPECT_EQ(next.index, me_.index);
  turn();
  EXPECT_TRUE(requester_.answers.empty());
  EXPECT_TRUE(other.answers.empty());
}

// Clients cannot take the place of the server API.
TEST_F(HubTest, TheReserveIsForWhoHasIt) {
  FakeRequester api;
  const RequesterId reserved = hub_.add(api, RequesterRole::kOperator);
  for (StepId step = 1; step <= 5; ++step) publish(there_, step);
  hub_.channels(reserved, 1, "");
  turn();
  ASSERT_EQ(requester_.answers.size(), 1u);
  EXPECT_EQ(last_error(), HubError::kOverloaded);
  EXPECT_TRUE(api.answers.empty()) << "it waits";
  hub_.channels(reserved, 2, "");
  turn();
  EXPECT_EQ(api.answers.size(), 1u) << "and it is bounded too";
  hub_.remove(reserved);
}

TEST_F(HubTest, WithoutCreditRequestsWaitInOrderThenAreRefused) {
  const MetricDelta full("parley_hub_overloaded_total");
  const MetricDelta refused(R"(parley_hub_refused_total{reason="overloaded"})");
  for (StepId step = 1; step <= 5; ++step) publish(there_, step);
  EXPECT_EQ(post_.sent.size(), 2u);
  EXPECT_EQ(turn(), Pace::kSoon);
  ASSERT_EQ(requester_.answers.size(), 1u);
  EXPECT_EQ(requester_.answers[0].first, 5u);
  EXPECT_EQ(last_error(), HubError::kOverloaded);
  hub_.channels(me_, 6, "");  // also refused
  turn();
  EXPECT_EQ(last_error(), HubError::kOverloaded);
  EXPECT_EQ(full(), 2);
  EXPECT_EQ(refused(), 2);
  // What follows from what exists is never refused.
  hub_.subscribe(subscription_, {there_}, {});
  post_.credits = 10;
  EXPECT_EQ(turn(), Pace::kIdle);
  ASSERT_EQ(post_.sent.size(), 5u);
  for (size_t i = 0; i < 4; ++i) reply(sent_waiter(i), Published{.position = {{}, i + 1}});
  ASSERT_EQ(requester_.answers.size(), 6u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(requester_.answers[i + 2].first, i + 1);
    EXPECT_EQ(std::get<Published>(*requester_.answers[i + 2].second).position.offset, i + 1);
  }
  reply(sent_waiter(4), std::unexpected(HubError::kUnavailable));
  turn();
  EXPECT_EQ(subscriber_.answers.at(0).result.error(), HubError::kUnavailable);
}

// The box of a publish that came from another shard goes back with the next answer, and then
// carries another publish.
TEST_F(HubTest, APublishElsewhereIsAnsweredInABoxThatServesAgain) {
  PublishRecord theirs = record(here_);
  theirs.options = rules_.find(here_);
  auto asked = std::make_unique<Request>(Request{77, std::move(theirs)});
  const Request* const first = asked.get();
  hub_.receive(1, std::move(asked));
  turn();
  ASSERT_EQ(post_.sent.size(), 1u);
  auto box = std::move(std::get<Done>(post_.sent[0]).box);
  EXPECT_EQ(box.get(), first);
  EXPECT_EQ(box->waiter, 77u);
  EXPECT_EQ(box->done.position.offset, 1u);
  post_.sent.clear();

  publish(there_, 3);
  ASSERT_EQ(post_.sent.size(), 1u);
  box->waiter = sent_waiter(0);
  box->done = {.prev = 8};
  hub_.receive(1, Done{std::move(box)});
  ASSERT_EQ(requester_.answers.size(), 1u);
  EXPECT_EQ(requester_.answers[0].first, 3u);
  EXPECT_EQ(std::get<Published>(*requester_.answers[0].second).prev, 8u);

  publish(there_, 4);
  const auto& again = std::get<std::unique_ptr<Request>>(post_.sent.at(1));
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(std::get<PublishRecord>(again->body).channel.name, there_);
}

TEST_F(HubTest, RemoteFollowFeedTopAndReset) {
  hub_.subscribe(subscription_, {there_}, {});
  const auto& request = std::get<std::unique_ptr<Request>>(post_.sent.at(0));
  const InterestId interest = std::get<FollowRequest>(request->body).interest;
  reply(request->waiter, Attached{.epoch = testing::kEpochA, .top = 3});
  turn();
  EXPECT_EQ(subscriber_.answers.at(0).result->top.offset, 3u);
  hub_.receive(1, Feed{interest, testing::make_publication(4)});
  EXPECT_EQ(hub_.pull(subscription_).publications.size(), 1u);
  subscription_.advance(4);
  hub_.receive(1, TopNote{interest, 6});
  EXPECT_EQ(hub_.pull(subscription_).kind, Pull::Kind::kWaiting);
  reply(sent_waiter(1),
        ReadPage{.epoch = testing::kEpochA, .top = 6, .publications = testing::make_run(5, 6)});
  EXPECT_EQ(hub_.pull(subscription_).publications.size(), 2u);
  hub_.receive(1, std::make_unique<ResetNote>(
                      ResetNote{interest, {.epoch = testing::kEpochB}, GapReason::kEpochChanged}));
  EXPECT_EQ(hub_.pull(subscription_).gap.reason, GapReason::kEpochChanged);
  hub_.unsubscribe(subscription_);
  post_.room = false;
  turn(seconds(6));
  EXPECT_EQ(hub_.channels_followed(), 1u);
  post_.room = true;
  turn(seconds(1));
  EXPECT_EQ(hub_.channels_followed(), 0u);
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<DropInterest>>(post_.sent.back()));
}

TEST_F(HubTest, AFailedPageRequest) {
  hub_.subscribe(subscription_, {there_},
                 {Start::Kind::kRecover, StreamPosition{testing::kEpochA, 1}, 10});
  reply(sent_waiter(0), Attached{.epoch = testing::kEpochA, .top = 3});
  reply(sent_waiter(1), std::unexpected(HubError::kOverloaded));
  turn();
  EXPECT_EQ(subscriber_.answers.at(0).result.error(), HubError::kOverloaded);
}

TEST_F(HubTest, AnotherShardsFollowIsFedAndFallsBehind) {
  hub_.receive(1, std::make_unique<Request>(Request{77, FollowRequest{{here_}, {0, 1}}}));
  turn();
  ASSERT_EQ(post_.sent.size(), 1u);
  EXPECT_EQ(std::get<std::unique_ptr<Reply>>(post_.sent[0])->waiter, 77u);
  post_.room = false;
  publish(here_);
  EXPECT_EQ(turn(), Pace::kSoon);
  post_.room = true;
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_TRUE(std::holds_alternative<Feed>(post_.sent.at(1)));
  hub_.receive(1, std::make_unique<DropInterest>(DropInterest{{here_}, {0, 1}}));
  EXPECT_EQ(hub_.channels_homed(), 0u);
}

TEST_F(HubTest, PresenceThroughTheHub) {
  const std::string room = homed(slots_, 0, "p:");
  hub_.subscribe(subscription_, {room, Aspect::kPresence}, {});
  hub_.change_presence(room, Change::kEnter, {.user = "u", .client = "c"});
  hub_.change_presence("h:0", Change::kEnter, {.user = "u", .client = "c"});
  hub_.change_presence("unknown", Change::kEnter, {.user = "u", .client = "c"});
  hub_.presence(me_, 1, room);
  hub_.presence_counts(me_, 2, room);
  turn();
  EXPECT_EQ(std::get<PresenceSnapshot>(*requester_.answers.at(0).second).members().size(), 1u);
  EXPECT_EQ(std::get<PresenceCounts>(*requester_.answers.at(1).second).users, 1u);
  EXPECT_EQ(hub_.pull(subscription_).publications.size(), 1u);
}

// Whoever enters may differ from the namespace, in both directions.
TEST_F(HubTest, AMemberMayBePresentInItsOwnManner) {
  hub_.subscribe(subscription_, {here_, Aspect::kPresence}, {});
  const ClientInfo member{.user = "u", .client = "c"};
  hub_.change_presence(here_, Change::kEnter, member, PresenceManner{false, false});
  turn();
  EXPECT_EQ(hub_.pull(subscription_).kind, Pull::Kind::kNothing);
  hub_.change_presence(here_, Change::kEnter, member, PresenceManner{false, true});
  turn();
  const auto entered = hub_.pull(subscription_).publications;
  ASSERT_EQ(entered.size(), 1u) << "though the namespace tells no joins";
  EXPECT_EQ(entered[0]->change, Change::kEnter);
  subscription_.advance(entered[0]->offset);
  hub_.change_presence(here_, Change::kLeave, member);
  turn();
  ASSERT_EQ(hub_.pull(subscription_).publications.size(), 1u);
}

// Else it would be there for ever.
TEST_F(HubTest, AMemberLeavesThoughTheNamespaceHasChanged) {
  const std::string room = homed(slots_, 0, "p:");
  hub_.change_presence(room, Change::kEnter, {.user = "u", .client = "c"});
  turn();
  rules_.add("p", {});
  hub_.change_presence(room, Change::kLeave, {.client = "c"});
  turn();
  rules_.add("p", {.presence = true});
  hub_.presence_counts(me_, 1, room);
  turn();
  EXPECT_EQ(std::get<PresenceCounts>(*requester_.answers.at(0).second).clients, 0u);
}

TEST_F(HubTest, HistoryAndItsRemoval) {
  publish(here_, 1);
  hub_.history(me_, 2, here_, {.limit = 10});
  hub_.remove_history(me_, 3, here_);
  hub_.history(me_, 4, here_, {.limit = 10});
  turn();
  ASSERT_EQ(requester_.answers.size(), 4u);
  // Pages come behind the rest of a turn.
  EXPECT_TRUE(std::holds_alternative<HistoryRemoved>(*requester_.answers[1].second));
  EXPECT_EQ(requester_.answers[2].first, 2u);
  EXPECT_EQ(std::get<ReadPage>(*requester_.answers[2].second).publications.size(), 1u);
  const auto& page = std::get<ReadPage>(*requester_.answers[3].second);
  EXPECT_TRUE(page.publications.empty());
  EXPECT_EQ(page.top, 1u);
}

// The tail of a followed channel must not hand out what was removed from history.
TEST_F(HubTest, RemovedHistoryIsNotRecoveredFromATail) {
  hub_.subscribe(subscription_, {here_}, {});
  turn();
  const Epoch epoch = subscriber_.answers.at(0).result->top.epoch;
  publish(here_, 1);
  publish(here_, 2);
  hub_.remove_history(me_, 3, here_);
  turn();
  publish(here_, 4);
  turn();
  FakeSubscriber late;
  Subscription recovering(late, 0);
  hub_.subscribe(recovering, {here_},
                 {.kind = Start::Kind::kRecover, .position = {{epoch, 0}}, .limit = 100});
  Subscription at_the_removal(late, 1);
  hub_.subscribe(at_the_removal, {here_},
                 {.kind = Start::Kind::kRecover, .position = {{epoch, 2}}, .limit = 100});
  turn();
  ASSERT_EQ(late.answers.size(), 2u);
  // The second is served from the tail at once, the first had to ask history.
  EXPECT_TRUE(late.answers[0].result->recovered);
  EXPECT_EQ(late.answers[0].result->missed.size(), 1u);
  EXPECT_FALSE(late.answers[1].result->recovered);
  hub_.unsubscribe(recovering);
  hub_.unsubscribe(at_the_removal);
}

TEST_F(HubTest, AShardThatIsBehindLearnsOfARemoval) {
  const InterestId interest{3, 1};
  hub_.receive(1, std::make_unique<Request>(Request{9, FollowRequest{{here_}, interest}}));
  turn();
  post_.sent.clear();
  post_.room = false;
  publish(here_, 1);
  hub_.remove_history(me_, 2, here_);
  EXPECT_EQ(turn(), Pace::kSoon);
  post_.room = true;
  turn();
  ASSERT_EQ(post_.sent.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Feed>(post_.sent[0]));
  EXPECT_EQ(std::get<TopNote>(post_.sent[1]).top, 1u);
  EXPECT_TRUE(std::get<TopNote>(post_.sent[1]).removed);
}

TEST_F(HubTest, ASurveyAsksEveryShard) {
  hub_.subscribe(subscription_, {here_}, {});
  turn();
  hub_.channels(me_, 1, "h:*");
  hub_.channels(me_, 2, "none*");
  turn();
  EXPECT_TRUE(requester_.answers.empty());  // the other shard has not answered
  reply(sent_waiter(0), ChannelCounts{{{here_, 2}, {there_, 1}}});
  reply(sent_waiter(1), std::unexpected(HubError::kUnavailable));
  ASSERT_EQ(requester_.answers.size(), 2u);
  const auto& counts = std::get<ChannelCounts>(*requester_.answers[0].second).subscribers;
  EXPECT_EQ(counts.at(here_), 3u);
  EXPECT_EQ(counts.at(there_), 1u);
  EXPECT_EQ(last_error(), HubError::kUnavailable);
  // The other way round.
  hub_.receive(1, std::make_unique<Request>(Request{5, ChannelsRequest{"h*"}}));
  const auto& answer = std::get<std::unique_ptr<Reply>>(post_.sent.back());
  EXPECT_EQ(std::get<ChannelCounts>(*answer->body).subscribers.at(here_), 1u);
}

// Has `sessions` of them for each control.
struct FakeSink final : ControlSink {
  std::vector<std::string> begun;
  size_t sessions = 0;
  size_t left = 0;
  bool apply(const Control& control, size_t& budget, Controlled&) override {
    if (left == 0) {
      begun.push_back(control.user);
      left = sessions;
    }
    const size_t done = std::min(left, budget);
    left -= done;
    budget -= done;
    return left == 0;
  }
};

ControlPtr control_of(std::string user) {
  Control control;
  control.user = std::move(user);
  return std::make_shared<const Control>(std::move(control));
}

TEST_F(HubTest, AControlIsAnsweredWhenEveryShardHasConfirmed) {
  FakeSink sink;
  hub_.set_control_sink(&sink);
  hub_.control(me_, 1, control_of("ann"));
  EXPECT_TRUE(sink.begun.empty());  // nothing before the call returned
  turn();
  EXPECT_EQ(sink.begun, std::vector<std::string>{"ann"});
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_TRUE(requester_.answers.empty());
  reply(sent_waiter(0), Controlled{});
  ASSERT_EQ(requester_.answers.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Controlled>(*requester_.answers[0].second));
  // The other way round.
  hub_.receive(1, std::make_unique<Request>(Request{5, ControlRequest{control_of("bob")}}));
  EXPECT_EQ(sink.begun.size(), 1u);
  turn();
  EXPECT_EQ(sink.begun.back(), "bob");
  const auto& answer = std::get<std::unique_ptr<Reply>>(post_.sent.back());
  EXPECT_EQ(answer->waiter, 5u);
  EXPECT_TRUE(std::holds_alternative<Controlled>(*answer->body));
  hub_.set_control_sink(nullptr);
}

TEST_F(HubTest, AShardThatCannotConfirmFailsTheControl) {
  hub_.control(me_, 1, control_of("ann"));
  turn();
  turn();
  reply(sent_waiter(0), std::unexpected(HubError::kUnavailable));
  EXPECT_EQ(last_error(), HubError::kUnavailable);
}

TEST_F(HubTest, ControlsTakeTurnsOfABoundedSize) {
  FakeSink sink;
  sink.sessions = 2 * options_.controlled_sessions + 1;
  hub_.set_control_sink(&sink);
  hub_.receive(1, std::make_unique<Request>(Request{5, ControlRequest{control_of("ann")}}));
  hub_.receive(1, std::make_unique<Request>(Request{6, ControlRequest{control_of("bob")}}));
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_TRUE(post_.sent.empty());
  EXPECT_EQ(turn(), Pace::kNow);  // the first is done, the second has begun
  EXPECT_EQ(post_.sent.size(), 1u);
  EXPECT_EQ(sink.begun, (std::vector<std::string>{"ann", "bob"}));
  turn();
  EXPECT_EQ(turn(), Pace::kIdle);
  EXPECT_EQ(post_.sent.size(), 2u);
  // One that addresses nobody counts as well.
  sink.sessions = 0;
  for (uint64_t i = 0; i <= options_.controlled_sessions; ++i)
    hub_.receive(1, std::make_unique<Request>(Request{i, ControlRequest{control_of("")}}));
  EXPECT_EQ(turn(), Pace::kNow);
  EXPECT_EQ(turn(), Pace::kIdle);
  hub_.set_control_sink(nullptr);
}

TEST_F(HubTest, UsersAreCountedOnceAtTheirHome) {
  const auto users = [] { return metrics::total("parley_users"); };
  std::string mine, other;
  for (int i = 0; mine.empty() || other.empty(); ++i) {
    const std::string name = std::to_string(i);
    (slots_.home(name) == 0 ? mine : other) = name;
  }
  const auto from_there = [&](bool here) {
    hub_.receive(1, std::make_unique<Request>(Request{5, UserNote{SeededHash{}(mine), here}}));
  };
  const auto before = users();
  hub_.note_user(mine, true);
  turn();
  from_there(true);
  EXPECT_EQ(users(), before + 1);
  hub_.note_user(other, true);  // told to its home
  const auto& request = std::get<std::unique_ptr<Request>>(post_.sent.back());
  EXPECT_TRUE(std::get<UserNote>(request->body).here);
  reply(request->waiter, PresenceChanged{});
  EXPECT_EQ(users(), before + 1);
  hub_.note_user(mine, false);
  turn();
  EXPECT_EQ(users(), before + 1);
  from_there(false);
  EXPECT_EQ(users(), before);
}

// Every shard is asked, and none refuses; who is older learns it from the first that knows better.
TEST_F(HubTest, WhoSupersedesIsToldOfANewerOne) {
  struct : Requester {
    int outranked = 0;
    void on_answer(StepId, Answer) override {}
    void on_outranked() override { ++outranked; }
  } mine;
  struct : ControlSink {
    std::vector<std::string> users;
    bool outranks = false;
    bool apply(const Control& control, size_t&, Controlled& result) override {
      users.push_back(control.user);
      result.outranked = outranks;
      return true;
    }
  } sink;
  hub_.set_control_sink(&sink);
  const RequesterId id = hub_.add(mine);
  post_.credits = 0;
  for (int i = 0; i < 5; ++i) hub_.supersede(id, control_of("ann"));
  EXPECT_TRUE(sink.users.empty());  // nothing before the call returned
  turn();
  turn();
  EXPECT_EQ(sink.users.size(), 5u);
  EXPECT_EQ(mine.outranked, 0);
  post_.credits = 5;
  turn();
  ASSERT_EQ(post_.sent.size(), 5u);
  reply(sent_waiter(0), Controlled{});
  EXPECT_EQ(mine.outranked, 0);
  reply(sent_waiter(1), Controlled{.outranked = true});
  EXPECT_EQ(mine.outranked, 1);
  sink.outranks = true;
  hub_.receive(1, std::make_unique<Request>(Request{7, ControlRequest{control_of("ann")}}));
  turn();
  const auto& answer = std::get<std::unique_ptr<Reply>>(post_.sent.back());
  EXPECT_TRUE(std::get<Controlled>(*answer->body).outranked);
  hub_.remove(id);
  reply(sent_waiter(2), Controlled{.outranked = true});  // it is gone
  EXPECT_EQ(mine.outranked, 1);
  hub_.set_control_sink(nullptr);
}

// A broker that always claims to have more must not hold the shard.
TEST_F(HubTest, ATurnEndsEvenWhenTheBrokerNeverDoes) {
  struct Restless final : Broker {
    BrokerCapabilities capabilities() const override { return {}; }
    void attach(const ChannelKey&, std::shared_ptr<const ChannelOptions>, FeedId) override {}
    void detach(const ChannelKey&) override {}
    void publish(BrokerToken, PublishRecord&&) override {}
    void read(BrokerToken, const ChannelKey&, const ReadQuery&) override {}
    void remove_history(BrokerToken, const ChannelKey&) override {}
    bool run(const Now&, BrokerEvents&, size_t) override { return true; }
  } restless;
  Hub hub(options_, slots_, restless, post_, rules_, ids_);
  EXPECT_EQ(hub.turn(now_), Pace::kNow);
}

// Who publishes whenever a publish of its is answered, as a batch of the server API does, must not
// hold the shard either: with a broker that answers such a publish at once, and with one that
// answers it when it is run again.
TEST_F(HubTest, ATurnEndsThoughEachAnswerAsksForMore) {
  struct Chain final : Requester {
    std::function<void()> again;
    size_t answered = 0;
    void on_answer(StepId, Answer) override {
      if (++answered < 100'000) again();
    }
  };
  struct Patient final : Broker {
    std::vector<BrokerToken> asked;
    BrokerCapabilities capabilities() const override { return {}; }
    void attach(const ChannelKey&, std::shared_ptr<const ChannelOptions>, FeedId) override {}
    void detach(const ChannelKey&) override {}
    void publish(BrokerToken token, PublishRecord&&) override { asked.push_back(token); }
    void read(BrokerToken, const ChannelKey&, const ReadQuery&) override {}
    void remove_history(BrokerToken, const ChannelKey&) override {}
    bool run(const Now&, BrokerEvents& events, size_t) override {
      for (const BrokerToken token : std::exchange(asked, {})) events.on_published(token, {});
      return false;
    }
  } patient;
  // Answered by turns: what many ask for in one round is counted, not the round.
  constexpr size_t kAtOnce = 100;
  const std::vector<std::pair<Broker*, size_t>> kCases = {
      {&broker_, 1}, {&patient, 1}, {&broker_, kAtOnce}, {&patient, kAtOnce}};
  for (const auto& [broker, at_once] : kCases) {
    Chain chain;
    Hub hub(options_, slots_, *broker, post_, rules_, ids_);
    const RequesterId id = hub.add(chain);
    chain.again = [&] { hub.publish(id, 0, record(here_)); };
    for (size_t i = 0; i < at_once; ++i) chain.again();
    EXPECT_EQ(hub.turn(now_), Pace::kNow);
    EXPECT_GT(chain.answered, 1000u);
    EXPECT_LT(chain.answered, options_.turn_items + at_once) << at_once;
    const size_t before = chain.answered;
    EXPECT_EQ(hub.turn(now_), Pace::kNow);
    EXPECT_GT(chain.answered, before) << "it goes on";
    hub.remove(id);
    EXPECT_EQ(hub.turn(now_), Pace::kIdle);
  }
}

TEST(HubBudget, AnswersLeftOverAskForAnotherTurn) {
  SlotTable slots(1);
  FakeBroker broker;
  FakePost post;
  testing::NamespaceRules rules;
  testing::SeededIds ids(1);
  Hub hub({.turn_items = 1}, slots, broker, post, rules, ids);
  FakeSubscriber subscriber;
  Subscription a(subscriber, 0), b(subscriber, 1);
  hub.subscribe(a, {"x"}, {});
  hub.subscribe(b, {"x"}, {});
  Now now{Time{seconds(1)}, 0};
  EXPECT_EQ(hub.turn(now), Pace::kNow);
  EXPECT_EQ(subscriber.answers.size(), 1u);
  hub.turn(now);
  EXPECT_EQ(subscriber.answers.size(), 2u);
}

}  // namespace
}  // namespace parley::hub
