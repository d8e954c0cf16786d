// What reaches the client, in which order, however the transport takes it.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "session/encode_cache.h"
#include "tests/support/metric_delta.h"
#include "tests/support/session_fixture.h"
#include "tests/support/slices.h"

namespace parley::session {
namespace {

using Texts = std::vector<std::string>;
using testing::json;
using testing::LineDialect;
using testing::Script;

class SessionFlushTest : public testing::SessionFixture {
 protected:
  // No history: what leaves the tail is gone.
  void small_tail(const std::string& channel, uint32_t history, size_t tail = 2000) {
    hub::ChannelOptions options = testing::FakeRules::usual();
    options.history_size = history;
    options.tail_bytes = tail;
    world_.rules().set(channel, options);
  }
};

TEST_F(SessionFlushTest, ControlFramesComeBeforePublications) {
  auto& client = open();
  subscribe(client, "a");
  publish("a", "x");
  world_.hub().turn(world_.now());
  act(client, [](Effects& effects) { effects.send("reply"); });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"reply", "a:1:x"}));
}

TEST_F(SessionFlushTest, UrgentFramesPassTheOthers) {
  auto& client = open();
  act(client, [](Effects& effects) {
    effects.send("one");
    effects.send_urgent("ping");
    effects.send("two");
  });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"ping", "one", "two"}));
}

// A flush of everything there is, broken off after `first` and after `second` more bytes.
Texts mixed(size_t first, size_t second, uint64_t barrier = 3) {
  struct World : testing::SessionFixture {
    void TestBody() override {}
    Texts run(size_t first, size_t second, uint64_t barrier) {
      auto& client = open();
      const Handle a = subscribe(client, "a");
      subscribe(client, "b");
      subscribe(client, "c");
      client.allow(0);
      for (int i = 1; i <= 3; ++i) {
        publish("a", "data" + std::to_string(i));
        publish("b", i == 2 ? "-" : "d");
      }
      publish("c", "-");
      act(client, [&](Effects& effects) {
        effects.send("before");
        effects.send_after(a, barrier, "behind");
        effects.send("plain");
        effects.send_after(a, 3, "last");
      });
      // Something is on its way already when the urgent frames come.
      client.allow(3);
      world_.run();
      act(client, [](Effects& effects) {
        effects.send_urgent("ping");
        effects.send_urgent("pong");
      });
      for (const size_t part : {first, second}) {
        if (part == 0) continue;
        client.allow(part);
        world_.run();
      }
      client.unblock();
      world_.run();
      EXPECT_FALSE(client.session()->has_output());
      return texts(client);
    }
  };
  World world;
  return world.run(first, second, barrier);
}

size_t wire_size(const Texts& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size() + 5;
  return bytes;
}

TEST(SessionFlush, IsTheSameStreamWhereverItIsBrokenOff) {
  const Texts whole = mixed(0, 0);
  EXPECT_EQ(whole, (Texts{"before", "ping", "pong", "a:1:data1", "a:2:data2", "a:3:data3", "behind",
                          "plain", "last", "b:1:d", "b:3:d"}));
  for (size_t first = 1; first < wire_size(whole); ++first) {
    ASSERT_EQ(mixed(first, 0), whole) << "broken off after " << first;
    ASSERT_EQ(mixed(first, 1 + first % 13), whole) << "broken off after " << first;
  }
}

// A frame that waits for less than all there is may go as soon as that is gone.
TEST(SessionFlush, KeepsTheOrderOfEachLaneWhereverItIsBrokenOff) {
  const Texts whole = mixed(0, 0, 2);
  const auto lane = [](const Texts& texts, bool data) {
    Texts found;
    for (const std::string& text : texts)
      if ((text.find(':') != std::string::npos) == data) found.push_back(text);
    return found;
  };
  for (size_t first = 1; first < wire_size(whole); ++first) {
    const Texts got = mixed(first, 1 + first % 29, 2);
    ASSERT_EQ(lane(got, true), lane(whole, true)) << first;
    ASSERT_EQ(lane(got, false), lane(whole, false)) << first;
    ASSERT_LT(std::ranges::find(got, "a:2:data2"), std::ranges::find(got, "behind")) << first;
    ASSERT_LT(std::ranges::find(got, "a:3:data3"), std::ranges::find(got, "last")) << first;
  }
}

TEST_F(SessionFlushTest, OwnPublicationComesBeforeTheReply) {
  auto& client = open();
  const Handle a = subscribe(client, "a");
  publish_own(client, script_, a, "a", "mine");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:1:mine", "done"}));
}

TEST_F(SessionFlushTest, BarrierOfAGoneSubscriptionDoesNotHold) {
  auto& client = open();
  const Handle a = subscribe(client, "a");
  act(client, [&](Effects& effects) {
    effects.send_after(a, 10, "reply");
    effects.unsubscribe(a);
  });
  act(client, [&](Effects& effects) { effects.send_after(a + 77, 1, "stale"); });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"reply", "stale"}));
}

TEST_F(SessionFlushTest, NothingWaitsForASubscriptionThatIsNotLiveYet) {
  auto& client = open();
  script_.subscribed = [](Handle, const auto&, Effects& effects) { effects.send("subscribed"); };
  act(client, [](Effects& effects) {
    const Handle a = effects.subscribe({"a"}, {});
    effects.send_after(a, 1, "reply");
  });
  client.allow(0);
  world_.run();
  publish("a", "x");
  world_.run();
  client.unblock();
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"reply", "subscribed", "a:1:x"}));
}

TEST_F(SessionFlushTest, BarrierWaitsForAPublicationThatIsNotHereYet) {
  auto& client = open();
  const Handle a = subscribe(client, "a");
  const Handle b = subscribe(client, "b");
  act(client, [&](Effects& effects) { effects.send_after(a, 2, "reply"); });
  publish("a", "one");
  publish("b", "other");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:1:one", "b:1:other"}));
  act(client, [&](Effects& effects) { effects.send("later"); });
  publish("b", "held");  // "later" might say something of b
  world_.run();
  EXPECT_EQ(texts(client), Texts{});
  publish("a", "two");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:2:two", "reply", "later", "b:2:held"}));
  act(client, [&](Effects& effects) {
    effects.send_after(b, 9, "reply");
    effects.send("behind");
  });
  world_.run();
  EXPECT_EQ(texts(client), Texts{});
  act(client, [&](Effects& effects) { effects.unsubscribe(b); });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"reply", "behind"}));
}

TEST_F(SessionFlushTest, BarrierGivesUpWhenThePublicationDoesNotCome) {
  auto& client = open();
  const Handle a = subscribe(client, "a");
  const testing::MetricDelta lifted("parley_session_barriers_lifted_total");
  act(client, [&](Effects& effects) { effects.send_after(a, 5, "reply"); });
  world_.advance(seconds(29));
  EXPECT_EQ(texts(client), Texts{});
  EXPECT_EQ(lifted(), 0);
  world_.advance(seconds(2));
  EXPECT_EQ(lifted(), 1);
  EXPECT_EQ(texts(client), (Texts{"reply"}));
  EXPECT_FALSE(client.ended());
}

// Found by the simulated contract, seed 16286: a reply was let go for how long another had waited.
TEST_F(SessionFlushTest, EachBarrierHasAWaitOfItsOwn) {
  auto& client = open();
  const Handle a = subscribe(client, "a");
  const Handle b = subscribe(client, "b");
  const testing::MetricDelta lifted("parley_session_barriers_lifted_total");
  act(client, [&](Effects& effects) {
    effects.send_after(a, 1, "first");
    effects.send_after(b, 1, "second");
  });
  world_.advance(seconds(20));
  publish("a", "one");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:1:one", "first"}));
  world_.advance(seconds(20));
  EXPECT_EQ(lifted(), 0);
  publish("b", "two");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"b:1:two", "second"}));
}

TEST_F(SessionFlushTest, BarrierWaitsForAPageOfHistory) {
  small_tail("a", 100);
  auto& client = open();
  const Handle a = subscribe(client, "a");
  client.allow(0);
  for (int i = 0; i < 50; ++i) publish("a", "x");
  world_.run();
  publish_own(client, script_, a, "a", "mine");
  world_.run();
  act(client, [](Effects& effects) { effects.send("behind"); });
  client.unblock();
  world_.run();
  const Texts got = texts(client);
  ASSERT_EQ(got.size(), 53u);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(got[static_cast<size_t>(i)], "a:" + std::to_string(i + 1) + ":x");
  EXPECT_EQ(got[50], "a:51:mine");
  EXPECT_EQ(got[51], "done");
  EXPECT_EQ(got[52], "behind");
}

TEST_F(SessionFlushTest, NoDataOvertakesTheReplyToItsSubscribe) {
  small_tail("a", 100);
  auto& client = open();
  const Handle a = subscribe(client, "a");
  client.allow(0);
  for (int i = 0; i < 50; ++i) publish("a", "x");
  world_.run();
  publish_own(client, script_, a, "a", "mine");
  world_.run();
  script_.subscribed = [](Handle, const auto&, Effects& effects) { effects.send("subscribed"); };
  subscribe(client, "b");
  publish("b", "y");
  world_.run();
  client.allow(1);  // asks for the page only
  client.unblock();
  world_.run();
  const Texts got = texts(client);
  ASSERT_EQ(got.size(), 54u);
  EXPECT_EQ(got[51], "done");
  EXPECT_EQ(got[52], "subscribed");
  EXPECT_EQ(got[53], "b:1:y");
}

TEST_F(SessionFlushTest, SlowReaderReadsOnFromHistory) {
  small_tail("a", 1000);
  auto& client = open();
  subscribe(client, "a");
  size_t published = 0;
  for (int round = 0; round < 40; ++round) {
    client.allow(round % 3 == 0 ? 0 : 100);
    for (int i = 0; i < 10; ++i) publish("a", std::string(50, static_cast<char>('a' + i)));
    published += 10;
    world_.run();
  }
  client.unblock();
  world_.run();
  const Texts got = texts(client);
  ASSERT_EQ(got.size(), published);
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(got[i].starts_with("a:" + std::to_string(i + 1) + ":")) << got[i];
}

// However much the kernel would take: the others have their turn.
TEST_F(SessionFlushTest, AReaderOfHistoryIsLentAWindowAtATime) {
  small_tail("a", 100, 1000);
  auto& client = open();
  subscribe(client, "a");
  client.allow(0);
  constexpr size_t kSize = 40'000;
  for (int i = 0; i < 5; ++i) publish("a", std::string(kSize, 'x'));
  world_.run();
  testing::Slices sink(SIZE_MAX);
  client.session()->gather(sink);
  EXPECT_GE(sink.bytes.size(), EncodeCache::kWindow);
  EXPECT_LT(sink.bytes.size(), EncodeCache::kWindow + kSize + 100);
  client.session()->consumed(0);
}

// Gathers once for each wake, as the event loop does.
TEST_F(SessionFlushTest, WakesItsTransportUntilAllIsSent) {
  struct Link final : TransportLink, Framing, SliceSink {
    void frame(MessageType, Buffer& out, size_t) const override { out.append("\n"); }
    const Framing& framing() const override { return *this; }
    void wake(bool) override { woken = true; }
    void end(EndReason, const EndCode&) override {}
    void pause_input(bool) override {}
    bool append(ByteView bytes) override {
      all += bytes;
      return true;
    }
    bool woken = false;
    Buffer all;
  } link;
  small_tail("a", 5000);
  SessionTable table(world_.hub(), world_.timers(), world_.ids(), world_.tokens(), {});
  script_.open = [](Effects& effects) { effects.subscribe({"a"}, {}); };
  Session& session =
      table.open(std::make_unique<testing::ScriptedAdapter>(script_), link, Handshake{});
  world_.run();
  for (int i = 0; i < 3000; ++i) publish("a", i % 1000 == 999 ? "-" : "x");
  world_.run();
  for (int turn = 0; turn < 20; ++turn) {
    world_.run();
    table.begin_flush(true);
    if (!std::exchange(link.woken, false)) continue;
    const size_t before = link.all.size();
    session.gather(link);
    session.consumed(link.all.size() - before);
  }
  EXPECT_EQ(std::ranges::count(link.all, '\n'), 2997);
  EXPECT_FALSE(session.has_output());
}

TEST_F(SessionFlushTest, ToldOfAGapBeforeWhatFollows) {
  small_tail("a", 10);
  auto& client = open();
  script_.gap = [](Handle, const hub::Gap& gap, Effects& effects) {
    effects.send("gap " + std::to_string(gap.from) + "-" + std::to_string(gap.to));
  };
  const Handle a = subscribe(client, "a");
  client.allow(0);
  for (int i = 0; i < 50; ++i) publish("a", "x");
  world_.run();
  // A reply that waits for a publication behind the gap must not keep the gap from being told.
  act(client, [&](Effects& effects) { effects.send_after(a, 50, "reply"); });
  client.unblock();
  world_.run();
  Texts got = texts(client);
  EXPECT_EQ(std::erase(got, "reply"), 1u);
  ASSERT_GT(got.size(), 2u);
  ASSERT_TRUE(got[0].starts_with("gap 1-")) << got[0];
  const uint64_t to = std::stoull(got[0].substr(6));
  EXPECT_EQ(got.size(), 1 + 50 - to);
  EXPECT_EQ(got[1], "a:" + std::to_string(to + 1) + ":x");
  EXPECT_EQ(got.back(), "a:50:x");
}

TEST_F(SessionFlushTest, GapLetsTheRepliesPassThatStandBeforeIt) {
  auto& client = open();
  script_.gap = [](Handle, const hub::Gap&, Effects& effects) { effects.send("gap"); };
  const Handle a = subscribe(client, "a");
  act(client, [&](Effects& effects) { effects.send_after(a, 50, "reply"); });
  world_.run();
  EXPECT_EQ(texts(client), Texts{});
  world_.broker().interject([this](hub::BrokerEvents& events) {
    const hub::Epoch epoch{.boot = 99, .counter = 1, .generation = 0};
    events.on_reset({"a"}, {.epoch = epoch, .base = 2, .top = 2}, hub::GapReason::kEpochChanged);
    auto publication = std::make_shared<hub::Publication>(json("new"));
    publication->offset = 3;
    publication->prev = 2;
    publication->epoch = epoch;
    events.on_publication({"a"}, world_.broker().feed_of("a"), publication);
  });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"reply", "gap", "a:3:new"}));
}

TEST_F(SessionFlushTest, MayUnsubscribeWhenToldOfAGap) {
  small_tail("a", 10);
  small_tail("b", 10);
  auto& client = open();
  Handle a = 0;
  script_.gap = [&](Handle handle, const hub::Gap&, Effects& effects) {
    effects.send(handle == a ? "bye a" : "bye b");
    effects.unsubscribe(handle);
    effects.unsubscribe(handle);  // stale by then
  };
  a = subscribe(client, "a");
  subscribe(client, "b");
  client.allow(0);
  for (int i = 0; i < 50; ++i) {
    publish("a", "x");
    publish("b", "x");
  }
  world_.run();
  client.unblock();
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"bye a", "bye b"}));
  EXPECT_TRUE(world_.subscribers().empty());
  EXPECT_FALSE(client.session()->has_output());
}

TEST_F(SessionFlushTest, MayEndWhenToldOfAGap) {
  auto& client = open();
  script_.gap = [&](Handle, const hub::Gap&, Effects& effects) {
    effects.send("lost");
    effects.end(EndReason::kInsufficientState);
  };
  subscribe(client, "a");
  subscribe(client, "b");
  client.allow(0);
  publish("b", "never");
  world_.run();
  hub::Start start{.kind = hub::Start::Kind::kResume, .position = std::nullopt, .limit = 0};
  subscribe(client, "c", start);
  client.unblock();
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"lost"}));
  ASSERT_TRUE(client.ended());
  EXPECT_EQ(client.end_seen()->reason, EndReason::kInsufficientState);
  EXPECT_EQ(client.end_seen()->code.code, 4000);
}

TEST_F(SessionFlushTest, ResetWhileFramesAreCachedTellsAGapAndForgetsThem) {
  auto& client = open();
  script_.gap = [&](Handle, const hub::Gap&, Effects& effects) { effects.send("gap"); };
  Script& other_script = new_script();
  auto& other = open(other_script);
  subscribe(client, "a");
  subscribe(other, other_script, "a");
  world_.run();
  client.allow(0);
  for (int i = 0; i < 5; ++i) publish("a", "old");
  world_.run();
  EXPECT_EQ(texts(other).size(), 5u);
  const hub::Epoch epoch{.boot = 99, .counter = 1, .generation = 0};
  world_.broker().interject([&](hub::BrokerEvents& events) {
    events.on_reset({"a"}, {.epoch = epoch, .base = 2, .top = 2}, hub::GapReason::kEpochChanged);
    auto publication = std::make_shared<hub::Publication>(json("new"));
    publication->offset = 3;
    publication->prev = 2;
    publication->epoch = epoch;
    events.on_publication({"a"}, world_.broker().feed_of("a"), publication);
  });
  world_.run();
  EXPECT_EQ(texts(other), (Texts{"a:3:new"}));
  client.unblock();
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"gap", "a:3:new"}));
}

TEST_F(SessionFlushTest, SkippedPublicationsLeaveNothingBehind) {
  small_tail("a", 100);
  auto& client = open();
  subscribe(client, "a");
  for (int i = 0; i < 5; ++i) publish("a", "-");
  world_.run();
  EXPECT_EQ(texts(client), Texts{});
  EXPECT_FALSE(client.session()->has_output());
  // Pages of skipped ones, then one that is not.
  client.allow(0);
  for (int i = 0; i < 80; ++i) publish("a", "-");
  publish("a", "seen");
  for (int i = 0; i < 80; ++i) publish("a", "-");
  world_.run();
  client.unblock();
  world_.run();
  EXPECT_EQ(client.take_text(), "a:86:seen");
  EXPECT_FALSE(client.session()->has_output());
  publish("a", "live");
  world_.run();
  EXPECT_EQ(client.take_text(), "a:167:live");
}

TEST_F(SessionFlushTest, TwoSubscriptionsToOneChannelDoNotDisturbEachOther) {
  auto& client = open();
  subscribe(client, "a");
  const std::string large(3000, 'x');
  client.allow(0);
  for (int i = 0; i < 60; ++i) publish("a", large);
  world_.run();
  // Stands in the middle of what the first one has to be given.
  const hub::Epoch any;
  subscribe(
      client, "a",
      {.kind = hub::Start::Kind::kResume, .position = hub::StreamPosition{any, 20}, .limit = 0});
  world_.run();
  client.unblock();
  world_.run();
  std::vector<int> seen(61);
  for (const std::string& text : texts(client)) ++seen.at(std::stoul(text.substr(2)));
  for (size_t i = 1; i <= 60; ++i) EXPECT_EQ(seen[i], i <= 20 ? 1 : 2) << i;
}

TEST_F(SessionFlushTest, ReaderAheadOfTheSharedRunIsServedAtOnce) {
  auto& slow = open();
  subscribe(slow, "a");
  slow.allow(0);
  const std::string large(3000, 'x');
  for (int i = 0; i < 200; ++i) publish("a", large);
  world_.run();
  slow.allow(1);  // the run now holds one window
  world_.run();
  slow.allow(0);
  Script& script = new_script();
  auto& fast = open(script);
  subscribe(fast, script, "a");
  world_.run();
  publish("a", "now");
  world_.run();
  EXPECT_EQ(texts(fast), (Texts{"a:201:now"}));
}

// They stand in one place, so that all but the first are lent what the one before was.
TEST_F(SessionFlushTest, ReadersInOnePlaceGetTheSameWhereverTheyAreBrokenOff) {
  std::vector<testing::FakeClient*> crowd;
  for (size_t i = 0; i < 30; ++i) {
    crowd.push_back(&open());
    subscribe(*crowd.back(), "a");
  }
  for (size_t i = 0; i < crowd.size(); ++i) crowd[i]->allow(i);
  for (const char* text : {"one", "two", "three"}) publish("a", text);
  world_.run();
  act(*crowd[7], [](Effects& effects) { effects.send_urgent("ping"); });
  world_.run();
  publish("a", "four");
  world_.run();
  for (testing::FakeClient* client : crowd) client->unblock();
  world_.run();
  for (size_t i = 0; i < crowd.size(); ++i) {
    Texts expected{"a:1:one", "a:2:two", "a:3:three", "a:4:four"};
    if (i == 7) expected.insert(expected.begin() + 1, "ping");
    EXPECT_EQ(texts(*crowd[i]), expected) << i;
    EXPECT_FALSE(crowd[i]->session()->has_output());
  }
}

// A write that failed is not reported: what was planned for it is nobody else's.
TEST_F(SessionFlushTest, WhatAFailedWriteWasLentIsNotBookedToTheNext) {
  auto& failed = open();
  auto& next = open();
  subscribe(failed, "a");
  subscribe(next, "a");
  failed.allow(0);
  next.allow(0);
  publish("a", "one");
  publish("a", "two");
  world_.run();
  act(failed, [](Effects& effects) { effects.send("reply"); });
  testing::Slices lost(SIZE_MAX);
  failed.session()->gather(lost);
  testing::Slices first(3);
  next.session()->gather(first);
  ASSERT_EQ(first.bytes.size(), 3u);
  next.session()->consumed(3);
  EXPECT_TRUE(next.session()->has_output());
  testing::Slices rest(SIZE_MAX);
  next.session()->gather(rest);
  const Buffer all = first.bytes + rest.bytes;
  EXPECT_EQ(lost.bytes.substr(lost.bytes.size() - all.size()), all);
  next.session()->consumed(rest.bytes.size());
  EXPECT_FALSE(next.session()->has_output());
}

TEST_F(SessionFlushTest, BusyChannelDoesNotStarveTheOthers) {
  auto& client = open();
  subscribe(client, "a");
  subscribe(client, "b");
  client.allow(0);
  publish("a", std::string(60'000, 'x'));
  world_.run();
  publish("b", "quiet");
  world_.run();
  Texts got;
  for (int i = 0; i < 8; ++i) {
    publish("a", std::string(60'000, 'x'));
    client.allow(40'000);
    world_.run();
    for (std::string& text : texts(client)) got.push_back(text.substr(0, 7));
  }
  EXPECT_NE(std::ranges::find(got, "b:1:qui"), got.end());
}

TEST_F(SessionFlushTest, IdleSessionKeepsNoOutbox) {
  auto& client = open();
  act(client, [](Effects& effects) { effects.send("x"); });
  EXPECT_TRUE(client.session()->has_output());
  client.allow(3);
  world_.run();
  EXPECT_FALSE(client.session()->at_frame_border());
  client.unblock();
  world_.run();
  EXPECT_TRUE(client.session()->at_frame_border());
  EXPECT_FALSE(client.session()->has_output());
}

}  // namespace
}  // namespace parley::session
