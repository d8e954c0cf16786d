// Deltas, filters and dialects of single subscriptions.
#include <memory>
#include <string>
#include <vector>

#include "tests/support/delta_reader.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using testing::AppendDialect;
using testing::FakeClient;
using testing::Script;
using Texts = std::vector<std::string>;

hub::Publication pub(const std::string& data, hub::Tags tags = {}) {
  hub::Publication made = testing::json(data);
  made.delta = true;
  made.tags = std::move(tags);
  return made;
}

class VariantTest : public testing::SessionFixture {
 protected:
  VariantTest() {
    hub::ChannelOptions options = testing::FakeRules::usual();
    options.allow_delta = true;
    world_.rules().set("a", options);
    script_.gap = [this](Handle, const hub::Gap&, Effects&) { ++gaps_; };
  }

  static Variant delta() {
    return {.dialect = &AppendDialect::shared(), .delta = true, .filter = {}};
  }
  static std::unique_ptr<const TagsFilter> only(std::string_view value) {
    TagsFilter filter;
    EXPECT_TRUE(filter.add(TagsFilter::Test::kEqual, "k", std::span(&value, 1)));
    return std::make_unique<const TagsFilter>(std::move(filter));
  }

  Handle subscribe(FakeClient& client, Variant variant, hub::Start start = {}) {
    Handle handle = 0;
    act(client, [&](Effects& effects) {
      handle = effects.subscribe({"a"}, std::move(start), std::move(variant));
    });
    world_.run();
    return handle;
  }
  FakeClient& subscriber(Variant variant) {
    FakeClient& client = open();
    subscribe(client, std::move(variant));
    return client;
  }
  void publish(const std::string& data, hub::Tags tags = {}) {
    world_.publish("a", pub(data, std::move(tags)));
  }
  void later(const std::string& data, hub::Tags tags = {}) {
    world_.publish_later("a", pub(data, std::move(tags)));
  }
  int gaps_ = 0;
};

TEST_F(VariantTest, TheFirstIsWholeTheOthersAreChanges) {
  FakeClient& changes = subscriber(delta());
  FakeClient& plain = subscriber({});
  publish("x");
  later("xy");
  later("xyz");
  world_.run();
  publish("new");
  publish("newer");
  EXPECT_EQ(texts(changes), (Texts{"a:1:x", "a:2:+y", "a:3:+z", "a:4:new", "a:5:+er"}));
  EXPECT_EQ(texts(plain), (Texts{"a:1:x", "a:2:xy", "a:3:xyz", "a:4:new", "a:5:newer"}));
}

TEST_F(VariantTest, OnlyWhatWasPublishedForItIsAChange) {
  FakeClient& client = subscriber(delta());
  publish("x");
  world_.publish("a", testing::json("xy"));
  publish("xyz");
  EXPECT_EQ(texts(client), (Texts{"a:1:x", "a:2:xy", "a:3:+z"}));
}

TEST_F(VariantTest, ALateReaderEntersTheChain) {
  FakeClient& early = subscriber(delta());
  publish("x");
  FakeClient& late = subscriber(delta());
  for (const char* data : {"xy", "xyz", "xyzz"}) later(data);
  world_.run();
  EXPECT_EQ(texts(early), (Texts{"a:1:x", "a:2:+y", "a:3:+z", "a:4:+z"}));
  EXPECT_EQ(texts(late), (Texts{"a:2:xy", "a:3:+z", "a:4:+z"}));
}

TEST_F(VariantTest, TwoEncodingsServeAll) {
  AppendDialect dialect;
  std::vector<FakeClient*> clients;
  publish("x");
  for (int i = 0; i < 20; ++i)
    clients.push_back(&subscriber({.dialect = &dialect, .delta = true, .filter = {}}));
  publish("xy");
  // The base is not in the tail that began with them: whole, in the run of changes.
  EXPECT_EQ(dialect.whole, 1);
  publish("xyz");
  EXPECT_EQ(dialect.changes, 1);
  for (int i = 0; i < 20; ++i)
    clients.push_back(&subscriber({.dialect = &dialect, .delta = true, .filter = {}}));
  publish("xyz!");
  EXPECT_EQ(dialect.whole, 2);
  EXPECT_EQ(dialect.changes, 2);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(texts(*clients[static_cast<size_t>(i)]),
              i < 20 ? (Texts{"a:2:xy", "a:3:+z", "a:4:+!"}) : (Texts{"a:4:xyz!"}));
}

TEST_F(VariantTest, AFilterIsNoGap) {
  FakeClient& client = subscriber({.dialect = nullptr, .delta = false, .filter = only("1")});
  FakeClient& plain = subscriber({});
  for (int i = 0; i < 6; ++i) later(std::to_string(i), {{"k", i % 3 == 0 ? "1" : "2"}});
  world_.run();
  publish("end", {{"k", "2"}});
  EXPECT_EQ(texts(client), (Texts{"a:1:0", "a:4:3"}));
  EXPECT_EQ(texts(plain).size(), 7u);
  EXPECT_EQ(gaps_, 0);
  EXPECT_FALSE(client.session()->has_output());
}

TEST_F(VariantTest, FilterAndDelta) {
  Variant both = delta();
  both.filter = only("1");
  FakeClient& client = subscriber(std::move(both));
  const hub::Tags in{{"k", "1"}};
  publish("x", in);
  publish("xy", in);
  publish("xyz");
  publish("xyz1", in);
  publish("xyz12", in);
  EXPECT_EQ(texts(client), (Texts{"a:1:x", "a:2:+y", "a:4:xyz1", "a:5:+2"}));
  later("xyz123", in);
  later("xyz1234");
  later("xyz12345", in);
  later("xyz123456", in);
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:6:+3", "a:8:xyz12345", "a:9:+6"}));
}

TEST_F(VariantTest, WhatTheDialectSkipsIsNoBase) {
  FakeClient& client = subscriber(delta());
  publish("x");
  publish("-hidden");
  publish("-hidden, too");
  publish("y");
  publish("yy");
  EXPECT_EQ(texts(client), (Texts{"a:1:x", "a:4:y", "a:5:+y"}));
}

// The new stream has another publication 2, which the client never saw: it had the old one.
TEST_F(VariantTest, AResetBreaksTheChain) {
  Variant both = delta();
  both.filter = only("1");
  FakeClient& client = subscriber(std::move(both));
  const hub::Tags in{{"k", "1"}};
  publish("x", in);
  publish("xy", in);
  world_.broker().interject([&](hub::BrokerEvents& events) {
    const hub::Epoch epoch{.boot = 99, .counter = 1};
    events.on_reset({"a"}, {.epoch = epoch, .base = 0, .top = 0}, hub::GapReason::kEpochChanged);
    for (uint64_t offset = 1; offset <= 3; ++offset) {
      auto next = std::make_shared<hub::Publication>(pub(std::string(offset, 'z')));
      if (offset == 3) next->tags = in;
      next->offset = offset;
      next->prev = offset - 1;
      next->epoch = epoch;
      events.on_publication({"a"}, world_.broker().feed_of("a"), next);
    }
  });
  world_.run();
  EXPECT_EQ(gaps_, 1);
  EXPECT_EQ(texts(client), (Texts{"a:1:x", "a:2:+y", "a:3:zzz"}));
}

TEST_F(VariantTest, RewoundReadersStartWhole) {
  FakeClient& client = open();
  const Handle handle = subscribe(client, delta());
  for (const char* data : {"x", "xy", "xyz"}) publish(data);
  texts(client);
  act(client, [&](Effects& effects) { effects.rewind(handle, 1); });
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:2:xy", "a:3:+z"}));
}

TEST_F(VariantTest, TheChainGoesOnBehindAReply) {
  FakeClient& client = open();
  script_.subscribed = [](Handle handle, const auto& result, Effects& effects) {
    EXPECT_EQ(result->missed.size(), 2u);
    effects.send("reply");
    effects.sent(handle, result->missed.back()->offset);
  };
  publish("x");
  publish("xy");
  subscribe(client, delta(), {.kind = hub::Start::Kind::kNewest, .limit = 9});
  publish("xyz");
  EXPECT_EQ(texts(client), (Texts{"reply", "a:3:+z"}));
}

TEST_F(VariantTest, SlowReadersOfHistoryChainWithinPages) {
  hub::ChannelOptions options = testing::FakeRules::usual();
  options.allow_delta = true;
  options.tail_bytes = 500;
  world_.rules().set("a", options);
  FakeClient& client = subscriber(delta());
  publish("x");
  client.allow(0);
  std::string data = "x";
  for (int i = 0; i < 20; ++i) publish(data += 'y');
  client.unblock();
  world_.run();
  const Texts all = texts(client);
  testing::DeltaReader reader;
  for (const std::string& text : all) reader.read(text);
  ASSERT_EQ(reader.seen().size(), 21u);
  EXPECT_EQ(reader.seen().at(21), data);
  EXPECT_GT(reader.changes(), 15u);
  EXPECT_EQ(gaps_, 0);
}

TEST_F(VariantTest, ABrokenOffFrameCounts) {
  FakeClient& client = subscriber(delta());
  publish("x");
  texts(client);
  client.allow(3);
  publish("xyy");
  for (const char* data : {"xyyz", "xyyzz"}) publish(data);
  client.unblock();
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"a:2:+yy", "a:3:+z", "a:4:+z"}));
}

TEST_F(VariantTest, BarriersSeeWhatWasSkipped) {
  FakeClient& client = open();
  const Handle handle =
      subscribe(client, {.dialect = nullptr, .delta = false, .filter = only("1")});
  publish_own(client, script_, handle, "a", "filtered");
  world_.run();
  EXPECT_EQ(texts(client), (Texts{"done"}));
}

TEST_F(VariantTest, EffectsKnowTheVariant) {
  FakeClient& client = open();
  const Handle plain = subscribe(client, {});
  const Handle varied = subscribe(client, delta());
  act(client, [&](Effects& effects) {
    EXPECT_EQ(effects.variant(plain), nullptr);
    ASSERT_NE(effects.variant(varied), nullptr);
    EXPECT_TRUE(effects.variant(varied)->delta);
    EXPECT_EQ(effects.variant(0), nullptr);
    EXPECT_EQ(effects.channel_number(varied), effects.channel_number(plain));
    EXPECT_GT(effects.channel_number(plain), 0u);
    EXPECT_EQ(effects.channel_number(0), 0u);
    effects.sent(plain, 1);
    effects.sent(0, 1);
  });
}

}  // namespace
}  // namespace parley::session
