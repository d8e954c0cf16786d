// A session's life: its commands, timers, limits and ends.
#include "session/session.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/metric_delta.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using Log = std::vector<std::string>;
using testing::FakeClient;
using testing::json;
using testing::Script;

class SessionTest : public testing::SessionFixture {
 protected:
  using SessionFixture::SessionFixture;
  bool noted(const std::string& what) const {
    return std::ranges::find(script_.log, what) != script_.log.end();
  }
  size_t count(const std::string& what) const {
    return static_cast<size_t>(std::ranges::count(script_.log, what));
  }
};

TEST_F(SessionTest, AnswersAreLaterInputs) {
  auto& client = open();
  act(client, [](Effects& effects) {
    effects.subscribe({"a"}, {});
    effects.history(7, "a", {.since = {}, .limit = 1});
    effects.presence(8, "a", true);
    effects.presence(9, "a", false);
  });
  EXPECT_EQ(script_.log, (Log{"open"}));
  world_.run();
  std::ranges::sort(script_.log);
  EXPECT_EQ(script_.log, (Log{"answer 7", "answer 8", "answer 9", "open", "subscribed"}));
}

TEST_F(SessionTest, RefusedSubscribeFreesItsPlace) {
  world_.rules().remove("unknown");
  auto& client = open();
  const Handle refused = subscribe(client, "unknown");
  EXPECT_TRUE(noted("refused"));
  act(client, [&](Effects& effects) { effects.unsubscribe(refused); });
  const Handle a = subscribe(client, "a");
  EXPECT_EQ(a & 0xffff, refused & 0xffff);
  EXPECT_NE(a, refused);
}

TEST_F(SessionTest, StaleHandlesTouchNothing) {
  auto& client = open();
  const Handle old = subscribe(client, "a");
  act(client, [&](Effects& effects) { effects.unsubscribe(old); });
  const Handle now = subscribe(client, "b");
  EXPECT_EQ(old & 0xffff, now & 0xffff);
  act(client, [&](Effects& effects) {
    effects.unsubscribe(old);
    effects.unsubscribe(0);
    effects.unsubscribe(now + 1);
  });
  world_.run();
  EXPECT_EQ(world_.subscribers(), (std::map<std::string, uint64_t>{{"b", 1}}));
}

TEST_F(SessionTest, UnsubscribeBeforeTheAnswer) {
  auto& client = open();
  act(client, [](Effects& effects) { effects.unsubscribe(effects.subscribe({"a"}, {})); });
  world_.run();
  EXPECT_FALSE(noted("subscribed"));
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_F(SessionTest, UnsubscribesAndResubscribesInTheAnswer) {
  script_.subscribed = [&](Handle handle, const auto&, Effects& effects) {
    effects.unsubscribe(handle);
    if (count("subscribed") < 5) effects.subscribe({"a"}, {});
  };
  subscribe(open(), "a");
  EXPECT_EQ(count("subscribed"), 5u);
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_F(SessionTest, NothingFollowsTheEndInAnyHandler) {
  const auto end = [](Effects& effects) {
    effects.send("last");
    effects.end(EndReason::kBadRequest);
    effects.send("never");
    effects.send_urgent("never");
    EXPECT_EQ(effects.subscribe({"never"}, {}), 0u);
    effects.publish(1, {.channel = {"never"}});
    effects.set_timer(TimerId::kPing, Duration(0));
    EXPECT_TRUE(effects.ended());
  };
  const std::vector<std::function<void(Script&)>> handlers = {
      [&](Script& script) { script.open = end; },
      [&](Script& script) { script.message = [=](ByteView, Effects& e) { end(e); }; },
      [&](Script& script) {
        script.open = [](Effects& e) { e.subscribe({"a"}, {}); };
        script.subscribed = [=](Handle, const auto&, Effects& e) { end(e); };
      },
      [&](Script& script) {
        script.open = [](Effects& e) { e.presence(1, "a", true); };
        script.answer = [=](hub::StepId, const auto&, Effects& e) { end(e); };
      },
      [&](Script& script) {
        script.open = [](Effects& e) { e.set_timer(TimerId::kPong, seconds(1)); };
        script.timer = [=](TimerId, Effects& e) { end(e); };
      },
      [&](Script& script) {
        script.open = [](Effects& e) {
          e.subscribe({"a"}, {.kind = hub::Start::Kind::kResume, .position = {}, .limit = 0});
        };
        script.gap = [=](Handle, const auto&, Effects& e) { end(e); };
      },
  };
  for (const auto& handler : handlers) {
    Script& script = new_script();
    handler(script);
    script.end = [](EndReason, Effects& effects) {
      effects.send("bye");
      effects.end(EndReason::kSlow);
      effects.set_timer(TimerId::kPing, Duration(0));
    };
    auto& client = open(script);
    client.send("go");
    client.send("go");
    world_.advance(seconds(2));
    EXPECT_EQ(texts(client), (Log{"last", "bye"}));
    ASSERT_TRUE(client.ended());
    EXPECT_EQ(client.end_seen()->reason, EndReason::kBadRequest);
    EXPECT_EQ(script.log.back(), "end bad_request");
    EXPECT_EQ(std::ranges::count(script.log, "end bad_request"), 1);
    EXPECT_EQ(script.alive, 0);
  }
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_F(SessionTest, CommandsBeforeTheEndAreCarriedOut) {
  auto& client = open();
  act(client, [](Effects& effects) {
    hub::PublishRecord record{.channel = {"a"}};
    record.publication = std::make_unique<hub::Publication>(json("will"));
    effects.publish(1, std::move(record));
    effects.subscribe({"a"}, {});
    effects.end(EndReason::kClientLeft);
  });
  world_.run();
  EXPECT_FALSE(noted("answer 1"));
  EXPECT_FALSE(noted("subscribed"));
  EXPECT_EQ(world_.publish("a", "2").offset, 2u);
}

TEST_F(SessionTest, TransportMayCloseInAnyState) {
  for (const int state : {0, 1, 2, 3, 4}) {
    Script& script = new_script();
    script.end = [](EndReason, Effects& effects) { effects.send("into the void"); };
    auto& client = open(script);
    if (state >= 1) subscribe(client, script, "a");
    if (state >= 2) world_.run();
    if (state >= 3) {
      client.allow(3);
      publish("a", "x");
      world_.run();
    }
    if (state >= 4) client.session()->end(EndReason::kShutdown);
    client.leave(EndReason::kTransportLost);
    world_.run();
    EXPECT_EQ(script.alive, 0);
    EXPECT_EQ(script.log.back(), state >= 4 ? "end shutdown" : "end transport_lost");
    publish("a", "y");
    world_.run();
  }
  EXPECT_TRUE(world_.subscribers().empty());
  EXPECT_EQ(world_.table().size(), 0u);
}

TEST_F(SessionTest, BlockedPeerIsEndedAsSlow) {
  auto& client = open();
  subscribe(client, "a");
  const testing::MetricDelta stalls(R"(parley_session_limits_total{limit="write_stall"})");
  const testing::MetricDelta slow(R"(parley_sessions_ended_total{reason="slow"})");
  client.allow(3);
  publish("a", "x");
  world_.run();
  world_.advance(seconds(29));
  client.allow(2);
  world_.advance(seconds(29));
  EXPECT_FALSE(client.ended());
  world_.advance(seconds(2));
  ASSERT_TRUE(client.ended());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kSlow);
  EXPECT_EQ(stalls(), 1);
  EXPECT_EQ(slow(), 1);
}

TEST_F(SessionTest, IdlePeerIsNotSlow) {
  auto& client = open();
  subscribe(client, "a");
  publish("a", "x");
  world_.advance(seconds(100));
  publish("a", "x");
  world_.advance(seconds(100));
  EXPECT_FALSE(client.ended());
}

TEST_F(SessionTest, TimersFireOnceAndNotEarly) {
  script_.open = [](Effects& effects) {
    effects.set_timer(TimerId::kPing, seconds(10));
    effects.set_timer(TimerId::kHandshake, seconds(5));
    effects.set_timer(TimerId::kOther, seconds(5));
    effects.cancel_timer(TimerId::kHandshake);
  };
  open();
  world_.advance(milliseconds(4950));
  EXPECT_EQ(script_.log, (Log{"open"}));
  world_.advance(milliseconds(100));
  EXPECT_EQ(script_.log, (Log{"open", "timer 3"}));
  world_.advance(seconds(100));
  EXPECT_EQ(script_.log, (Log{"open", "timer 3", "timer 1"}));
}

TEST_F(SessionTest, TimersAreSetAndCancelledInsideOfTimers) {
  script_.open = [](Effects& effects) {
    effects.set_timer(TimerId::kPing, seconds(1));
    effects.set_timer(TimerId::kPong, seconds(1));
  };
  script_.timer = [](TimerId timer, Effects& effects) {
    if (timer != TimerId::kPing) return;
    effects.cancel_timer(TimerId::kPong);
    effects.set_timer(TimerId::kPing, seconds(10));
    effects.set_timer(TimerId::kOther, Duration(0));
    effects.set_timer(TimerId::kHandshake, Duration(0));
  };
  open();
  world_.advance(seconds(2));
  EXPECT_EQ(count("timer 1"), 1u);
  EXPECT_EQ(count("timer 2"), 0u);
  EXPECT_EQ(count("timer 3"), 1u);
  EXPECT_EQ(count("timer 0"), 1u);
  world_.advance(seconds(10));
  EXPECT_EQ(count("timer 1"), 2u);
}

class PendingLimitTest : public SessionTest {
 protected:
  PendingLimitTest() : SessionTest({.pending_commands = 4}) {}
};

TEST_F(PendingLimitTest, PausesAndResumesInput) {
  auto& client = open();
  act(client, [](Effects& effects) {
    for (hub::StepId i = 0; i < 3; ++i) effects.presence(i, "a", true);
  });
  EXPECT_FALSE(client.input_paused());
  const testing::MetricDelta pauses("parley_session_input_paused_total");
  act(client, [](Effects& effects) { effects.subscribe({"a"}, {}); });
  EXPECT_TRUE(client.input_paused());
  EXPECT_EQ(pauses(), 1);
  world_.run();
  EXPECT_FALSE(client.input_paused());
}

TEST_F(PendingLimitTest, UnsubscribingCountsAsAnswered) {
  auto& client = open();
  for (int i = 0; i < 20; ++i) {
    act(client, [](Effects& effects) { effects.unsubscribe(effects.subscribe({"a"}, {})); });
    EXPECT_FALSE(client.input_paused());
  }
  subscribe(client, "a");
  EXPECT_FALSE(client.input_paused());
}

TEST_F(PendingLimitTest, PongTimerWaitsWhileInputIsPaused) {
  auto& client = open();
  act(client, [](Effects& effects) {
    effects.set_timer(TimerId::kPong, Duration(0));
    for (hub::StepId i = 0; i < 4; ++i) effects.presence(i, "a", true);
  });
  ASSERT_TRUE(client.input_paused());
  world_.timers().advance({.mono = world_.now().mono + milliseconds(32), .wall = 0}, 10);
  EXPECT_FALSE(noted("timer 2"));
  world_.advance(seconds(2));
  EXPECT_TRUE(noted("timer 2"));
}

class AwaitSentTest : public SessionTest {
 protected:
  AwaitSentTest() : SessionTest({.outbox_bytes = 1000, .pending_commands = 4}) {}
  void answer(FakeClient& client, const std::string& message) {
    act(client, [&](Effects& effects) {
      effects.send(message);
      effects.await_sent();
    });
  }
};

TEST_F(AwaitSentTest, InputPausesUntilTheAnswerHasLeft) {
  auto& client = open();
  client.allow(100);
  answer(client, std::string(5000, 'x'));
  EXPECT_TRUE(client.input_paused());
  client.allow(100);
  world_.run();
  EXPECT_TRUE(client.input_paused());
  client.unblock();
  world_.run();
  EXPECT_FALSE(client.input_paused());
  EXPECT_FALSE(client.ended());
  // Each of any size, one behind the other.
  answer(client, std::string(5000, 'y'));
  world_.run();
  EXPECT_EQ(client.take_text().size(), 10000u);
}

TEST_F(AwaitSentTest, NothingToSendPausesNothing) {
  auto& client = open();
  act(client, [](Effects& effects) { effects.await_sent(); });
  EXPECT_FALSE(client.input_paused());
}

TEST_F(AwaitSentTest, EachCauseByItselfKeepsTheInputPaused) {
  auto& client = open();
  client.allow(0);
  answer(client, "x");
  act(client, [](Effects& effects) {
    for (hub::StepId i = 0; i < 4; ++i) effects.presence(i, "a", true);
  });
  world_.run();
  EXPECT_TRUE(client.input_paused()) << "all is answered, but not sent";
  client.unblock();
  world_.run();
  EXPECT_FALSE(client.input_paused());
}

class OutboxLimitTest : public SessionTest {
 protected:
  OutboxLimitTest() : SessionTest({.outbox_bytes = 1000}) {}
};

TEST_F(OutboxLimitTest, TooMuchWaitingEndsTheSession) {
  auto& client = open();
  client.allow(0);
  const std::string message(300, 'x');
  for (int i = 0; i < 3; ++i) act(client, [&](Effects& effects) { effects.send(message); });
  EXPECT_FALSE(client.ended());
  const testing::MetricDelta full(R"(parley_session_limits_total{limit="outbox_bytes"})");
  act(client, [&](Effects& effects) {
    effects.send(message);
    EXPECT_TRUE(effects.ended());
  });
  ASSERT_TRUE(client.ended());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kSlow);
  EXPECT_EQ(full(), 1);
}

TEST_F(OutboxLimitTest, WhoAsksForMoreThanItTakesIsNotReadMeanwhile) {
  auto& client = open();
  client.allow(0);
  const std::string message(300, 'x');
  const auto answer = [&] { act(client, [&](Effects& effects) { effects.send(message); }); };
  answer();
  EXPECT_FALSE(client.input_paused());
  const testing::MetricDelta pauses("parley_session_input_paused_total");
  answer();
  EXPECT_TRUE(client.input_paused());
  answer();  // to what had been read before
  EXPECT_EQ(pauses(), 1);
  client.allow(310);
  world_.run();
  EXPECT_TRUE(client.input_paused()) << "more than a quarter of what may wait is still there";
  client.allow(310);
  world_.run();
  EXPECT_FALSE(client.input_paused());
  EXPECT_FALSE(client.ended());
}

TEST_F(OutboxLimitTest, OneLargeMessageAndTheRestOfAPublicationPass) {
  auto& client = open();
  act(client, [](Effects& effects) { effects.send(std::string(5000, 'x')); });
  world_.run();
  EXPECT_EQ(texts(client).size(), 1u);
  subscribe(client, "a");
  client.allow(10);
  publish("a", std::string(5000, 'x'));
  world_.run();
  act(client, [](Effects& effects) { effects.send("reply"); });
  EXPECT_FALSE(client.ended());
}

TEST_F(SessionTest, LeavesPresenceWhereverItEntered) {
  script_.identity.client = "me";
  auto& client = open();
  const Handle a = subscribe(client, "a");
  const Handle b = subscribe(client, "b");
  const Handle c = subscribe(client, "c");
  subscribe(client, "d");
  act(client, [&](Effects& effects) {
    for (const Handle handle : {a, a, b, c}) effects.enter_presence(handle, {.user = "u"});
    effects.unsubscribe(b);
    effects.enter_presence(b, {.user = "u"});
    // Not live yet, and there its place is used again.
    effects.enter_presence(effects.subscribe({"d"}, {}), {.user = "u"});
  });
  world_.run();
  Script& script = new_script();
  std::vector<uint64_t> seen;
  script.answer = [&](hub::StepId, const hub::Answer& answer, Effects&) {
    seen.push_back(std::get<hub::PresenceCounts>(*answer).clients);
  };
  auto& watcher = open(script);
  const auto look = [&] {
    act(watcher, script, [](Effects& effects) {
      for (const char* channel : {"a", "b", "c", "d"}) effects.presence(1, channel, true);
    });
    world_.run();
    return std::exchange(seen, {});
  };
  EXPECT_EQ(look(), (std::vector<uint64_t>{1, 0, 1, 0}));
  client.leave();
  world_.run();
  EXPECT_EQ(look(), (std::vector<uint64_t>{0, 0, 0, 0}));
}

TEST_F(SessionTest, SubscriptionsAreLimitedByTheirHandles) {
  auto& client = open();
  act(client, [](Effects& effects) {
    for (size_t i = 0; i < 1u << 16; ++i) EXPECT_NE(effects.subscribe({"a"}, {}), 0u);
    const testing::MetricDelta full(R"(parley_session_limits_total{limit="subscriptions"})");
    EXPECT_EQ(effects.subscribe({"a"}, {}), 0u);
    EXPECT_EQ(full(), 1);
  });
  ASSERT_TRUE(client.ended());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kLimit);
}

TEST_F(SessionTest, HandlesAreReusedWithoutConfusion) {
  auto& client = open();
  Handle last = 0;
  for (int i = 0; i < 1000; ++i) {
    act(client, [&](Effects& effects) {
      const Handle handle = effects.subscribe({"a"}, {});
      EXPECT_NE(handle, last);
      last = handle;
      effects.unsubscribe(handle);
    });
  }
  act(client, [](Effects& effects) { EXPECT_FALSE(effects.position(1).epoch.known()); });
}

class LateTest : public testing::SessionFixture {
 protected:
  // So many publishes, and then what io says. Whether the next one is taken.
  bool after(int publishes, size_t unread, size_t read, Duration within) {
    for (int i = 0; i < publishes; ++i) is_taken();
    client_.session()->note_input_lag(unread, read, within);
    return is_taken();
  }
  bool is_taken() {
    bool taken = false;
    act(client_, [&](Effects& effects) { taken = effects.takes_publishes(); });
    return taken;
  }
  // How often io tells of what is not read to the end.
  static constexpr Duration kTold = milliseconds(100);
  bool begins() { return after(0, 0, 100'000, {}); }
  bool lasts() { return after(1'000, 200'000, 100'000, kTold); }
  bool ends() { return after(0, 0, 0, {}); }
  FakeClient& client_ = open();
};

TEST_F(LateTest, WhoSendsFasterThanItIsServedIsRefusedUntilItIsNot) {
  const testing::MetricDelta late("parley_publishers_late_total");
  const testing::MetricDelta refused("parley_publishes_late_total");
  EXPECT_TRUE(begins());
  EXPECT_TRUE(lasts());
  EXPECT_TRUE(lasts());
  EXPECT_TRUE(ends()) << "read to the end";
  EXPECT_TRUE(begins());
  EXPECT_TRUE(lasts());
  EXPECT_TRUE(lasts());
  EXPECT_FALSE(lasts());
  EXPECT_FALSE(ends());
  world_.advance(milliseconds(90));
  EXPECT_FALSE(begins());
  world_.advance(milliseconds(20));
  EXPECT_FALSE(is_taken()) << "it may last";
  world_.advance(milliseconds(80));
  EXPECT_FALSE(lasts()) << "not calm after all";
  EXPECT_FALSE(ends());
  world_.advance(milliseconds(90));
  EXPECT_FALSE(is_taken());
  world_.advance(milliseconds(10));
  EXPECT_TRUE(is_taken());
  EXPECT_EQ(late(), 1);
  EXPECT_GT(refused(), 5);
}

TEST_F(LateTest, WhatBeginsInTheCalmAndIsOverSoonDoesNotEndIt) {
  EXPECT_TRUE(begins());
  EXPECT_FALSE(after(1'000, 200'000, 100'000, seconds(1)));
  EXPECT_FALSE(ends());
  world_.advance(milliseconds(90));
  EXPECT_FALSE(begins());
  world_.advance(milliseconds(90));
  EXPECT_TRUE(ends());
}

// Nothing more is told of a client that sends nothing more: what was over must be forgotten by
// then.
TEST_F(LateTest, WhatBeganInTheCalmAndIsOverIsForgotten) {
  EXPECT_TRUE(begins());
  EXPECT_FALSE(after(1'000, 200'000, 100'000, seconds(1)));
  EXPECT_FALSE(ends());
  EXPECT_FALSE(begins());
  EXPECT_FALSE(ends());
  world_.advance(seconds(10));
  EXPECT_TRUE(is_taken());
}

TEST_F(LateTest, WhatBeginsBehindTheCalmIsAnotherBurstHoweverLongItLasts) {
  EXPECT_TRUE(begins());
  EXPECT_FALSE(after(1'000, 200'000, 100'000, seconds(1)));
  EXPECT_FALSE(ends());
  world_.advance(kTold);
  client_.session()->note_input_lag(0, 100'000, {});
  world_.advance(kTold);
  EXPECT_TRUE(lasts());
  EXPECT_TRUE(lasts());
  EXPECT_FALSE(lasts());
}

// A burst begins with a read that fills the buffer, and io says so before it is served.
TEST_F(LateTest, ABurstAfterTheCalmIsTaken) {
  EXPECT_TRUE(begins());
  EXPECT_FALSE(after(1'000, 200'000, 100'000, seconds(1)));
  EXPECT_FALSE(ends());
  world_.advance(seconds(10));
  EXPECT_TRUE(begins());
  EXPECT_TRUE(ends());
}

// A busy publisher fills the buffer with every other read, and is read to the end by the next.
TEST_F(LateTest, WhoIsReadToTheEndAgainAtOnceIsCalm) {
  EXPECT_TRUE(begins());
  EXPECT_FALSE(after(1'000, 200'000, 100'000, seconds(1)));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(ends()) << i;
    EXPECT_FALSE(begins()) << i;
    world_.advance(milliseconds(9));
  }
  EXPECT_FALSE(ends());
  world_.advance(milliseconds(10));
  EXPECT_TRUE(begins());
}

// However slow we are, what is under way is bounded.
TEST_F(LateTest, WhoWaitsForAnswersIsNeverLate) {
  EXPECT_TRUE(begins());
  EXPECT_TRUE(after(500, 200'000, 100'000, seconds(10))) << "some 1,000 publishes";
  EXPECT_TRUE(after(1, 600'000, 100'000, seconds(10))) << "few, and large";
}

}  // namespace
}  // namespace parley::session
