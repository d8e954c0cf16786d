#include "adapter/eventsource/adapter.h"

#include <gtest/gtest.h>

#include "adapter/eventsource/dialect.h"
#include "adapter/eventsource/event_id.h"
#include "codec/sse/decoder.h"
#include "tests/support/metric_delta.h"
#include "tests/support/session_world.h"

namespace parley::adapter::eventsource {
namespace {

using session::EndReason;
using testing::FakeAccess;
using testing::FakeClient;
using testing::FakeRequest;
using testing::SessionWorld;

// An EventSource's view of its stream, in words.
class Browser final : codec::sse::EventSink {
 public:
  // "type:data#id" per event, "retry", ":comment".
  std::vector<std::string> read(FakeClient& client) {
    lines_.clear();
    EXPECT_TRUE(decoder_.decode(client.take_text(), *this));
    return std::move(lines_);
  }
  std::string last_event_id() const { return std::string(decoder_.last_event_id()); }
  uint32_t retry_ms() const { return retry_ms_; }

 private:
  void on_event(const codec::sse::DecodedEvent& event) override {
    lines_.push_back(std::string(event.type) + ":" + std::string(event.data) + "#" +
                     std::string(event.last_event_id));
  }
  void on_retry(uint32_t milliseconds) override {
    retry_ms_ = milliseconds;
    lines_.push_back("retry");
  }
  void on_comment(std::string_view text) override { lines_.push_back(":" + std::string(text)); }

  codec::sse::Decoder decoder_;
  std::vector<std::string> lines_;
  uint32_t retry_ms_ = 0;
};

using Lines = std::vector<std::string>;

class EventSourceTest : public ::testing::Test {
 protected:
  FakeClient& open(const std::string& channel, const std::string& last_event_id = "") {
    FakeRequest request{.path = channel};
    if (!last_event_id.empty()) request.headers = {{"Last-Event-ID", last_event_id}};
    FakeClient& client = world_.open(factory_, request);
    world_.run();
    return client;
  }
  Lines hear(Browser& browser, FakeClient& client) {
    world_.run();
    return browser.read(client);
  }
  // Until nobody here follows any channel, so that only history knows what was published.
  void forget_tails() { world_.advance(seconds(12)); }

  FakeAccess access_;
  EventSourceFactory factory_{access_};
  SessionWorld world_;
};

TEST_F(EventSourceTest, LiveEventsCarryTheirPosition) {
  FakeClient& client = open("news");
  Browser browser;
  EXPECT_EQ(hear(browser, client), Lines{"retry"});
  const hub::StreamPosition at = world_.publish("news", R"({"n":1})");
  EXPECT_EQ(hear(browser, client), Lines{"message:{\"n\":1}#" + to_event_id(at)});
}

TEST_F(EventSourceTest, TheRetryIsSpread) {
  Browser first, second;
  hear(first, open("news"));
  hear(second, open("news"));
  for (const Browser* browser : {&first, &second}) {
    EXPECT_GE(browser->retry_ms(), 1000u);
    EXPECT_LT(browser->retry_ms(), 2000u);
  }
  EXPECT_NE(first.retry_ms(), second.retry_ms());
}

TEST_F(EventSourceTest, AClientCutOffBeforeItsFirstEventResumes) {
  Browser browser;
  FakeClient& client = open("news");
  hear(browser, client);
  ASSERT_NE(browser.last_event_id(), "");
  client.leave();
  const std::string id = to_event_id(world_.publish("news", "1"));
  EXPECT_EQ(hear(browser, open("news", browser.last_event_id())),
            (Lines{"retry", "message:1#" + id}));
}

TEST_F(EventSourceTest, ResumesBehindTheLastEventId) {
  const std::string first = to_event_id(world_.publish("news", "1"));
  const std::string second = to_event_id(world_.publish("news", "2"));
  Browser browser;
  EXPECT_EQ(hear(browser, open("news", first)), (Lines{"retry", "message:2#" + second}));
}

TEST_F(EventSourceTest, IdZeroAsksForAllThatIsKept) {
  const std::string first = to_event_id(world_.publish("news", "1"));
  const std::string second = to_event_id(world_.publish("news", "2"));
  Browser browser;
  EXPECT_EQ(hear(browser, open("news", "0")),
            (Lines{"retry", "message:1#" + first, "message:2#" + second}));
}

TEST_F(EventSourceTest, AResumingClientKeepsItsIdUntilItHasWhatItMissed) {
  const std::string first = to_event_id(world_.publish("news", "1"));
  world_.publish("news", "2");
  FakeClient& client =
      world_.open(factory_, {.path = "news", .headers = {{"last-event-id", first}}});
  client.allow(20);  // inside the first block or the first event
  world_.run();
  Browser browser;
  browser.read(client);
  EXPECT_EQ(browser.last_event_id(), "");
}

TEST_F(EventSourceTest, PolyfillsResumeByQuery) {
  const std::string first = to_event_id(world_.publish("news", "1"));
  const std::string second = to_event_id(world_.publish("news", "2"));
  for (const std::string name : {"lastEventId", "last_event_id"}) {
    Browser browser;
    FakeClient& client =
        world_.open(factory_, {.path = "news", .query = "x=1&" + name + "=" + first});
    EXPECT_EQ(hear(browser, client), (Lines{"retry", "message:2#" + second}));
    FakeClient& both = world_.open(
        factory_,
        {.path = "news", .query = name + "=" + first, .headers = {{"Last-Event-ID", second}}});
    EXPECT_EQ(hear(browser, both), Lines{"retry"}) << "the header wins";
  }
}

TEST_F(EventSourceTest, AnIdThatNeverWasIsToldAsAGap) {
  hub::StreamPosition at = world_.publish("news", "1");
  const std::string id = to_event_id(at);
  for (const std::string& bad : Lines{"nonsense", "1", ".1", "x.", id + "x", "zz-1-1-1.5", "0.1"}) {
    Browser browser;
    EXPECT_EQ(hear(browser, open("news", bad)),
              (Lines{"retry", R"(gap:{"from":0,"to":1,"reason":"epoch_changed"}#)" + id}))
        << bad;
    EXPECT_EQ(hear(browser, open("news", browser.last_event_id())), Lines{"retry"}) << "told once";
  }
}

TEST_F(EventSourceTest, WhatHistoryNoLongerKeepsIsToldAsAGap) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.history_size = 2;
  world_.rules().set("short", options);
  hub::StreamPosition at = world_.publish("short", "1");
  const std::string first = to_event_id(at);
  for (const std::string_view data : {"2", "3", "4", "5"}) at = world_.publish("short", data);
  Browser browser;
  const Lines lines = hear(browser, open("short", first));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[1].starts_with(R"(gap:{"from":2,"to":3,"reason":"retention"}#)")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("message:4#")) << lines[2];
  EXPECT_EQ(lines[3], "message:5#" + to_event_id(at));
  const std::string after_gap = lines[1].substr(lines[1].find('#') + 1);
  forget_tails();
  const Lines again = hear(browser, open("short", after_gap));
  EXPECT_EQ(again.size(), 3u) << "resuming behind the gap does not tell it again";
}

TEST_F(EventSourceTest, AResetWhileConnectedIsToldWithTheNewEpoch) {
  FakeClient& client = open("news");
  hub::StreamPosition at = world_.publish("news", "1");
  Browser browser;
  hear(browser, client);
  ++at.epoch.counter;
  at.offset = 7;
  world_.broker().interject([&](hub::BrokerEvents& events) {
    events.on_reset({"news"}, {.epoch = at.epoch, .top = 7}, hub::GapReason::kEpochChanged);
  });
  EXPECT_EQ(hear(browser, client),
            Lines{R"(gap:{"from":0,"to":7,"reason":"epoch_changed"}#)" + to_event_id(at)});
}

TEST_F(EventSourceTest, ARollBackIsToldWithThePositionThatIsLeft) {
  FakeClient& client = open("news");
  hub::StreamPosition at;
  for (const std::string_view data : {"1", "2", "3"}) at = world_.publish("news", data);
  Browser browser;
  hear(browser, client);
  ++at.epoch.generation;
  at.offset = 1;
  world_.broker().interject([&](hub::BrokerEvents& events) {
    events.on_reset({"news"}, {.epoch = at.epoch, .top = 1, .generation_ends = {1}},
                    hub::GapReason::kRolledBack);
  });
  EXPECT_EQ(hear(browser, client),
            Lines{R"(gap:{"from":2,"to":3,"reason":"rolled_back"}#)" + to_event_id(at)});
}

TEST_F(EventSourceTest, BinaryIsToldAsAGapAndTheRestPasses) {
  const testing::MetricDelta unsupported("parley_eventsource_unsupported_total");
  FakeClient& client = open("news");
  Browser browser;
  hear(browser, client);
  world_.publish("news", testing::binary("\x01\x02"));
  world_.publish("news", testing::text("a\nb\r\n\rc"));
  const Lines lines = hear(browser, client);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].starts_with(R"(gap:{"from":1,"to":1,"reason":"unsupported"}#)"));
  EXPECT_TRUE(lines[1].starts_with("message:a\nb\n\nc#"));
  EXPECT_EQ(unsupported(), 1);
}

TEST_F(EventSourceTest, PresenceChangesAreNotDelivered) {
  const hub::LocalChannel channel({.name = "news"}, world_.rules().find("news"), {});
  for (const hub::Change change :
       {hub::Change::kEnter, hub::Change::kUpdate, hub::Change::kLeave}) {
    hub::Publication publication = testing::json("{}");
    publication.change = change;
    Buffer out;
    eventsource_dialect().encode(channel, publication, out);
    EXPECT_EQ(out, "");
  }
}

TEST_F(EventSourceTest, EventNamesPassUnlessTheyWouldForgeSomething) {
  FakeClient& client = open("news");
  Browser browser;
  hear(browser, client);
  world_.publish("news", testing::json("1", "price"));
  for (const std::string name : {"gap", "error", "open", "a\nid: forged", "a\rb", "a\tb", "\x7f"})
    world_.publish("news", testing::json("2", name));
  world_.publish("news", testing::json("2", std::string_view("a\0b", 3)));
  world_.publish("news", testing::json("2", std::string(300, 'x')));
  const Lines lines = hear(browser, client);
  ASSERT_EQ(lines.size(), 10u);
  EXPECT_TRUE(lines[0].starts_with("price:1#")) << lines[0];
  for (size_t i = 1; i < lines.size(); ++i)
    EXPECT_TRUE(lines[i].starts_with("message:2#")) << lines[i];
}

TEST_F(EventSourceTest, DataCannotInjectEvents) {
  FakeClient& client = open("news");
  Browser browser;
  hear(browser, client);
  const std::string data = "x\n\nevent: gap\ndata: {}\n\r\rid: 9\n\0z";
  world_.publish("news", testing::text(data));
  const Lines lines = hear(browser, client);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("message:x\n\nevent: gap"));
}

struct Refusal {
  FakeRequest request;
  uint16_t status;
};

TEST_F(EventSourceTest, ARefusalIsAStatusAndNothingElse) {
  access_.denied = {"secret"};
  access_.unknown = {"nowhere"};
  const Refusal refusals[] = {
      {{.path = "secret"}, 403},
      {{.path = "nowhere"}, 404},
      {{.path = ""}, 400},
      {{.path = "a\nb"}, 400},
      {{.path = std::string(256, 'a')}, 400},
      {{.path = "a", .query = "lastEventId=%zz"}, 400},
  };
  for (const Refusal& refusal : refusals) {
    FakeClient& client = world_.open(factory_, refusal.request);
    world_.run();
    ASSERT_TRUE(client.end_seen()) << refusal.request.path;
    EXPECT_EQ(client.end_seen()->code.code, refusal.status) << refusal.request.path;
    EXPECT_EQ(client.bytes_taken(), 0u);
  }
  access_.rules.anonymous = false;
  FakeClient& client = open("news");
  ASSERT_TRUE(client.end_seen());
  EXPECT_EQ(client.end_seen()->code.code, 401);
  EXPECT_EQ(client.bytes_taken(), 0u);
}

TEST_F(EventSourceTest, HeartbeatsComeInTimeAndNotTogether) {
  FakeClient& client = open("news");
  Browser browser;
  hear(browser, client);
  world_.advance(seconds(7));
  EXPECT_EQ(hear(browser, client), Lines{});
  world_.advance(seconds(9));
  EXPECT_EQ(hear(browser, client), Lines{": hb"});
  world_.advance(seconds(60));
  EXPECT_EQ(hear(browser, client).size(), 4u);
}

TEST_F(EventSourceTest, WhoConfirmsNoHeartbeatIsGone) {
  FakeClient& client = open("news");
  world_.advance(seconds(16));
  client.unheard_for = milliseconds(7'999);
  world_.advance(seconds(15));
  EXPECT_FALSE(client.ended());
  client.unheard_for = seconds(8);
  world_.advance(seconds(15));
  ASSERT_TRUE(client.end_seen());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kNoPong);
}

TEST_F(EventSourceTest, HeartbeatsCanBeOff) {
  const EventSourceFactory quiet(access_, {.heartbeat = Duration(0)});
  FakeClient& client = world_.open(quiet, {.path = "news"});
  Browser browser;
  hear(browser, client);
  world_.advance(seconds(100));
  EXPECT_EQ(hear(browser, client), Lines{});
}

TEST_F(EventSourceTest, AShutdownSaysWhenToComeBack) {
  Browser browsers[2];
  FakeClient* clients[] = {&open("news"), &open("news")};
  for (int i = 0; i < 2; ++i) hear(browsers[i], *clients[i]);
  world_.table().end_all(EndReason::kShutdown);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(hear(browsers[i], *clients[i]), (Lines{": end shutdown", "retry"}));
    EXPECT_GE(browsers[i].retry_ms(), 2000u);
    EXPECT_LT(browsers[i].retry_ms(), 15'000u);
    EXPECT_FALSE(clients[i]->connected());
  }
  EXPECT_NE(browsers[0].retry_ms(), browsers[1].retry_ms());
}

TEST_F(EventSourceTest, WhoIsDisconnectedIsToldNotToComeBackSoon) {
  Browser browser, kept;
  FakeClient& client = open("news");
  hear(browser, client);
  hub::Control control;
  control.user = "somebody";
  world_.control(control);
  EXPECT_TRUE(client.connected());
  control.user = "";
  world_.control(control);
  EXPECT_EQ(hear(browser, client), (Lines{": end disconnected", "retry"}));
  EXPECT_GE(browser.retry_ms(), 60'000u);
  EXPECT_LT(browser.retry_ms(), 120'000u);
  EXPECT_FALSE(client.connected());
}

TEST_F(EventSourceTest, ToLoseItsChannelIsTheEnd) {
  Browser browser, other;
  FakeClient& client = open("news");
  FakeClient& kept = open("sport");
  hear(browser, client);
  hear(other, kept);
  hub::Control control;
  control.kind = hub::Control::Kind::kUnsubscribe;
  control.channel = "news";
  world_.control(control);
  EXPECT_EQ(hear(browser, client), (Lines{": end disconnected", "retry"}));
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(hear(other, kept), Lines{});
  // While the hub has not answered yet, too.
  FakeClient& early = world_.open(factory_, {.path = "news"});
  world_.control(control);
  EXPECT_FALSE(early.connected());
}

TEST_F(EventSourceTest, TroubleThatPassesIsNeverAStatus) {
  // EventSource gives up for ever on any status but 200.
  FakeClient& client = world_.open(factory_, {.path = "news"});
  client.session()->end(EndReason::kShutdown);
  Browser browser;
  EXPECT_EQ(hear(browser, client), (Lines{": end shutdown", "retry"}));
}

TEST_F(EventSourceTest, ALaterEndIsToldInAComment) {
  FakeClient& client = open("news");
  Browser browser;
  hear(browser, client);
  client.session()->end(EndReason::kUnauthorized);
  EXPECT_EQ(hear(browser, client), (Lines{": end unauthorized", "retry"}));
}

TEST_F(EventSourceTest, AChannelThatTheHubDoesNotKnowIsToldInAComment) {
  world_.rules().remove("gone");
  Browser browser;
  EXPECT_EQ(hear(browser, open("gone")), (Lines{": end not_available", "retry"}));
}

TEST_F(EventSourceTest, AClientThatTalksIsEnded) {
  FakeClient& client = open("news");
  client.send("hello");
  world_.run();
  EXPECT_TRUE(client.ended());
}

TEST(EventId, RoundTrips) {
  const hub::StreamPosition position{{.boot = 77, .counter = 3, .generation = 2}, 123};
  EXPECT_EQ(parse_event_id(to_event_id(position)), position);
  EXPECT_EQ(parse_event_id(to_event_id({{.boot = UINT64_MAX}, UINT64_MAX})),
            (hub::StreamPosition{{.boot = UINT64_MAX}, UINT64_MAX}));
  for (const std::string_view bad :
       {"", ".", "a", "a.", ".1", "a.-1", "a.+1", "a. 1", "a.1.2", "A.1", "a.18446744073709551616"})
    EXPECT_FALSE(parse_event_id(bad)) << bad;
}

class EventSourceTokenTest : public EventSourceTest {
 protected:
  EventSourceTokenTest() { access_.rules.anonymous = false; }
  FakeClient& show(const std::string& token, const std::string& query = "",
                   const std::string& channel = "news") {
    FakeRequest request{.path = channel, .query = query};
    if (!token.empty()) request.headers = {{"Authorization", "Bearer " + token}};
    FakeClient& client = world_.open(factory_, request);
    world_.run();
    return client;
  }
  uint16_t status(FakeClient& client) {
    return client.ended() ? client.end_seen()->code.code : uint16_t{200};
  }
  int64_t in(int64_t from_now) const { return world_.now().wall / 1000 + from_now; }
};

TEST_F(EventSourceTokenTest, ATokenOpensTheStream) {
  world_.tokens().connect_token("good", "42");
  for (FakeClient* client : {&show("good"), &show("", "token=good"), &show("", "ticket=good")}) {
    EXPECT_EQ(status(*client), 200);
    Browser browser;
    EXPECT_EQ(hear(browser, *client), Lines{"retry"});
  }
}

TEST_F(EventSourceTokenTest, RefusalsAreStatuses) {
  world_.tokens().bad["old"] = auth::TokenError::kExpired;
  world_.tokens().connect_token("over", "42").expires_at = in(0);
  world_.tokens().connect_token("nobody");
  world_.tokens().connect_token("good", "42");
  access_.rules.anonymous_tokens = false;
  access_.denied.insert("secret");
  access_.unknown.insert("gone");
  EXPECT_EQ(status(show("")), 401);
  EXPECT_EQ(status(show("forged")), 401);
  EXPECT_EQ(status(show("old")), 401);
  EXPECT_EQ(status(show("over")), 401);
  EXPECT_EQ(status(show("nobody")), 403);
  EXPECT_EQ(status(show("good", "", "secret")), 403);
  EXPECT_EQ(status(show("good", "", "gone")), 404);
  EXPECT_EQ(status(show("forged", "token=good")), 401) << "the header wins";
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_F(EventSourceTokenTest, ExpiryEndsTheStreamWithAComment) {
  world_.tokens().connect_token("good", "42").expires_at = in(5);
  FakeClient& client = show("good");
  Browser browser;
  hear(browser, client);
  world_.advance(milliseconds(4900));
  EXPECT_FALSE(client.ended());
  world_.advance(milliseconds(200));
  EXPECT_EQ(hear(browser, client), (Lines{": end expired", "retry"}));
  EXPECT_TRUE(client.ended());
}

TEST_F(EventSourceTokenTest, ATokenThatIsVerifiedLater) {
  world_.tokens().slow = true;
  world_.tokens().connect_token("good", "42");
  const std::string first = to_event_id(world_.publish("news", "1"));
  const std::string second = to_event_id(world_.publish("news", "2"));
  FakeClient& client = show("good", "lastEventId=" + first);
  FakeClient& gone = show("good");
  gone.leave();
  FakeClient& refused = show("forged");
  Browser browser;
  EXPECT_EQ(hear(browser, client), Lines{});
  world_.tokens().answer_all();
  EXPECT_EQ(hear(browser, client), (Lines{"retry", "message:2#" + second}));
  EXPECT_EQ(status(refused), 401);
}

TEST_F(EventSourceTokenTest, KeysThatCannotBeFetchedPass) {
  world_.tokens().bad["later"] = auth::TokenError::kUnavailable;
  FakeClient& client = show("later");
  Browser browser;
  EXPECT_EQ(hear(browser, client), (Lines{": end internal_error", "retry"}));
}

TEST_F(EventSourceTokenTest, TheProxyMayNameTheUser) {
  access_.rules.user_header = "X-User";
  FakeClient& client = world_.open(factory_, {.path = "news", .headers = {{"x-user", "42"}}});
  world_.run();
  EXPECT_EQ(status(client), 200);
  hub::Control control;
  control.user = "42";
  world_.control(control);
  EXPECT_TRUE(client.ended()) << "the backend finds it by its user";
}

TEST_F(EventSourceTest, WhoseAccessIsTakenBackIsRefusedByStatus) {
  world_.tokens().connect_token("good", "42").id.uid = "t1";
  const auto open_with_token = [this]() -> FakeClient& {
    FakeClient& client = world_.open(factory_, {.path = "news", .query = "token=good"});
    world_.run();
    return client;
  };
  FakeClient& client = open_with_token();
  EXPECT_FALSE(client.ended());
  hub::Control block{.kind = hub::Control::Kind::kBlock};
  block.user = "42";
  ASSERT_TRUE(world_.control(std::move(block)).has_value());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kBlocked);
  EXPECT_EQ(open_with_token().end_seen()->code.code, 403);
  hub::Control unblock{.kind = hub::Control::Kind::kUnblock};
  unblock.user = "42";
  ASSERT_TRUE(world_.control(std::move(unblock)).has_value());
  FakeClient& again = open_with_token();
  hub::Control revoke{.kind = hub::Control::Kind::kRevoke};
  revoke.token = "t1";
  ASSERT_TRUE(world_.control(std::move(revoke)).has_value());
  EXPECT_EQ(again.end_seen()->reason, EndReason::kRevoked);
  EXPECT_EQ(open_with_token().end_seen()->code.code, 401);
}

}  // namespace
}  // namespace parley::adapter::eventsource
