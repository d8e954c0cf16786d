// What a client that does not read is given when it reads again, by its channel's policy.
#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/delta_reader.h"
#include "tests/support/metric_delta.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using testing::FakeClient;
using Texts = std::vector<std::string>;

class OverflowPolicyTest : public testing::SessionFixture {
 protected:
  OverflowPolicyTest() {
    script_.gap = [](Handle, const hub::Gap& gap, Effects& effects) {
      effects.send("gap " + std::to_string(gap.from) + "-" + std::to_string(gap.to) + " " +
                   std::string(to_string(gap.reason)));
    };
  }
  void rule(hub::OverflowPolicy policy, size_t max_bytes, Duration max_delay = {},
            const std::string& key = {}) {
    hub::ChannelOptions options = testing::FakeRules::usual();
    options.allow_delta = true;
    options.overflow = {
        .policy = policy, .max_bytes = max_bytes, .max_delay = max_delay, .key = key};
    world_.rules().set("a", options);
  }
  // Blocked behind the first publication of n, of which it had three bytes.
  FakeClient& stuck(int n) {
    FakeClient& client = open();
    subscribe(client, "a");
    client.allow(3);
    for (int i = 0; i < n; ++i) {
      publish("a", "x");
      world_.run();
    }
    return client;
  }
  Texts read_on(FakeClient& client) {
    client.unblock();
    world_.run();
    return texts(client);
  }
};

TEST_F(OverflowPolicyTest, ABegunFrameIsFinishedThenTheGapThenTheNewest) {
  rule(hub::OverflowPolicy::kLatest, 1);
  EXPECT_EQ(read_on(stuck(9)), (Texts{"a:1:x", "gap 2-8 conflated", "a:9:x"}));
}

TEST_F(OverflowPolicyTest, DropOldestTellsWhatIsGone) {
  rule(hub::OverflowPolicy::kDropOldest, 2 * testing::json("x").cost() + 64);
  EXPECT_EQ(read_on(stuck(9)), (Texts{"a:1:x", "gap 2-7 overflow", "a:8:x", "a:9:x"}));
}

TEST_F(OverflowPolicyTest, ResumeGivesEverything) {
  rule(hub::OverflowPolicy::kResume, 1);
  const Texts got = read_on(stuck(9));
  EXPECT_EQ(got.size(), 9u);
  EXPECT_EQ(got.back(), "a:9:x");
}

TEST_F(OverflowPolicyTest, TimeCountsWhereBytesDoNot) {
  rule(hub::OverflowPolicy::kLatest, 1 << 20, seconds(1));
  FakeClient& client = stuck(5);
  world_.advance(seconds(4));
  EXPECT_EQ(read_on(client), (Texts{"a:1:x", "gap 2-4 conflated", "a:5:x"}));
}

TEST_F(OverflowPolicyTest, WhoReadsLosesNothing) {
  rule(hub::OverflowPolicy::kLatest, 1, seconds(1));
  FakeClient& client = open();
  subscribe(client, "a");
  Texts want;
  for (int i = 1; i <= 20; ++i) {
    publish("a", "x");
    world_.advance(seconds(1));
    want.push_back("a:" + std::to_string(i) + ":x");
  }
  EXPECT_EQ(texts(client), want);
}

// Who takes whatever it is given is not slow, however much came at once.
TEST_F(OverflowPolicyTest, ABurstIsNoSlowness) {
  rule(hub::OverflowPolicy::kLatest, 1, seconds(1));
  FakeClient& client = open();
  subscribe(client, "a");
  for (int i = 0; i < 50; ++i) publish("a", "x");
  world_.run();
  EXPECT_EQ(texts(client).size(), 50u);
}

// The base of the next change was skipped: the client is given the whole, and the chain goes on.
TEST_F(OverflowPolicyTest, ADeltaReaderIsGivenAWholeOneBehindTheSkip) {
  rule(hub::OverflowPolicy::kLatest, 1);
  FakeClient& client = open();
  act(client, [](Effects& effects) {
    effects.subscribe({"a"}, {},
                      {.dialect = &testing::AppendDialect::shared(), .delta = true, .filter = {}});
  });
  world_.run();
  testing::DeltaReader reader;
  std::string text;
  const auto grow = [&] {
    hub::Publication made = testing::json(text += "x");
    made.delta = true;
    world_.publish("a", std::move(made));
  };
  grow();
  grow();
  for (const auto& frame : texts(client)) reader.read(frame);
  client.allow(0);
  for (int i = 0; i < 5; ++i) grow();
  for (const auto& frame : read_on(client))
    if (!frame.starts_with("gap")) reader.read(frame);
  EXPECT_EQ(reader.seen().rbegin()->second, text);
  grow();
  for (const auto& frame : texts(client)) reader.read(frame);
  EXPECT_EQ(reader.seen().rbegin()->second, text);
}

// A client that subscribes, and one that publishes.
class BlockedPublishTest : public OverflowPolicyTest {
 protected:
  BlockedPublishTest() {
    rule(hub::OverflowPolicy::kBlock, 2 * testing::json("x").cost());
    script_.answer = [this](hub::StepId step, const hub::Answer& answer, Effects&) {
      answers_ += (answer ? " +" : " -") + std::to_string(step);
    };
  }
  // A reader that has crossed the limit.
  FakeClient& slow_reader() {
    FakeClient& client = stuck(4);
    world_.advance(milliseconds(1));
    return client;
  }
  void publish_as(FakeClient& client, hub::StepId step, const std::string& key = {}) {
    act(client, [&](Effects& effects) {
      hub::PublishRecord record{.channel = {"a"}};
      record.publication = std::make_unique<hub::Publication>(testing::json("y"));
      record.idempotency_key = key;
      effects.publish(step, std::move(record));
    });
    world_.advance(milliseconds(1));
  }
  std::string answers(Duration after = milliseconds(2)) {
    world_.advance(after);
    return std::exchange(answers_, {});
  }
  uint64_t history() {
    const hub::Answer answer = world_.history("a", {});
    return std::get<hub::ReadPage>(*answer).top;
  }
  std::string answers_;
};

TEST_F(BlockedPublishTest, WaitsUntilTheReaderHasReadOn) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  publish_as(publisher, 1);
  publish_as(publisher, 2);
  EXPECT_EQ(answers(milliseconds(500)), "");
  Texts got = read_on(slow);
  EXPECT_EQ(answers(), " +1 +2");
  std::ranges::copy(texts(slow), std::back_inserter(got));
  EXPECT_EQ(got, (Texts{"a:1:x", "a:2:x", "a:3:x", "a:4:x", "a:5:y", "a:6:y"}));
}

TEST_F(BlockedPublishTest, IsRefusedAfterASecond) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  publish_as(publisher, 1);
  EXPECT_EQ(answers(milliseconds(900)), "");
  EXPECT_EQ(answers(milliseconds(200)), " -1");
  read_on(slow);
  publish_as(publisher, 2);
  EXPECT_EQ(answers(), " +2");
}

TEST_F(BlockedPublishTest, NobodyWaitsForItself) {
  FakeClient& both = slow_reader();
  publish_as(both, 1);
  EXPECT_EQ(answers(), " +1");
  FakeClient& other = open();
  publish_as(other, 2);
  EXPECT_EQ(answers(), "");
  publish_as(both, 3);
  EXPECT_EQ(answers(), " +3") << "before the one of somebody else";
  read_on(both);
  EXPECT_EQ(answers(), " +2");
}

TEST_F(BlockedPublishTest, TheReaderMayGoAwayMeanwhile) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  publish_as(publisher, 1);
  slow.leave();
  EXPECT_EQ(answers(), " +1");
}

// What was accepted is published, whoever is still there to be told so.
TEST_F(BlockedPublishTest, ThePublisherMayGoAwayMeanwhile) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  publish_as(publisher, 1);
  publisher.leave();
  read_on(slow);
  EXPECT_EQ(answers(), "");
  EXPECT_EQ(history(), 5u);
}

TEST_F(BlockedPublishTest, ADuplicateMeetsTheFirst) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  publish_as(publisher, 1, "k");
  publish_as(publisher, 2, "k");
  read_on(slow);
  EXPECT_EQ(answers(), " +1 +2");
  EXPECT_EQ(history(), 5u);
}

TEST_F(BlockedPublishTest, AReaderThatTakesNothingIsEndedAndBlocksNoMore) {
  FakeClient& slow = slow_reader();
  FakeClient& publisher = open();
  for (int i = 0; i < 31; ++i) world_.advance(seconds(1));
  EXPECT_TRUE(slow.ended());
  publish_as(publisher, 1);
  EXPECT_EQ(answers(), " +1");
}

// It never stalls.
TEST_F(BlockedPublishTest, AReaderThatTakesAByteNowAndThenDoesNotBlockForEver) {
  FakeClient& slow = open();
  FakeClient& publisher = open();
  subscribe(slow, "a");
  slow.allow(3);
  // More than it takes in forty seconds, in as many turns as they need.
  for (int i = 0; i < 20; ++i) publish("a", std::string(100, 'x'));
  world_.advance(milliseconds(1));
  const testing::MetricDelta given_up("parley_publishes_unblocked_total");
  for (int i = 0; i < 40; ++i) {
    slow.allow(1);
    world_.advance(seconds(1));
  }
  EXPECT_FALSE(slow.ended());
  EXPECT_EQ(given_up(), 1);
  publish_as(publisher, 1);
  EXPECT_EQ(answers(), " +1");
  read_on(slow);
  EXPECT_EQ(answers(), "");
}

// By key, what a reader is given has holes. Each letter is the key of one publication.
class KeyedOverflowTest : public OverflowPolicyTest {
 protected:
  KeyedOverflowTest() { rule(hub::OverflowPolicy::kLatest, 1, {}, "k"); }
  void publish_keys(std::string_view keys) {
    for (const char key : keys) {
      hub::Publication made = testing::json(text_ += key);
      made.delta = true;
      made.tags = {{"k", std::string(1, key)}};
      world_.publish("a", std::move(made));
    }
  }
  FakeClient& stuck_with(Variant variant, size_t bytes) {
    FakeClient& client = open();
    act(client, [&](Effects& effects) { effects.subscribe({"a"}, {}, std::move(variant)); });
    world_.run();
    client.allow(bytes);
    return client;
  }
  std::string text_;
};

TEST_F(KeyedOverflowTest, ABegunFrameIsFinishedThenTheNewestOfEachKey) {
  FakeClient& client = stuck_with({}, 3);
  publish_keys("xxyzzx");
  EXPECT_EQ(read_on(client), (Texts{"a:1:x", "gap 2-2 conflated", "a:3:xxy", "gap 4-4 conflated",
                                    "a:5:xxyzz", "a:6:xxyzzx"}));
  publish_keys("xx");
  EXPECT_EQ(texts(client), (Texts{"a:7:xxyzzxx", "a:8:xxyzzxxx"}));
}

// Between two that are given one may be missing, so that the later is no change of the earlier.
TEST_F(KeyedOverflowTest, ADeltaReaderIsGivenChangesOfWhatItHas) {
  FakeClient& client =
      stuck_with({.dialect = &testing::AppendDialect::shared(), .delta = true, .filter = {}}, 0);
  publish_keys("abccdbcaabdd");
  testing::DeltaReader reader;
  for (const auto& frame : read_on(client))
    if (!frame.starts_with("gap")) reader.read(frame);
  publish_keys("ab");
  for (const auto& frame : texts(client)) reader.read(frame);
  ASSERT_EQ(reader.seen().size(), 6u);
  for (const auto& [offset, text] : reader.seen()) EXPECT_EQ(text, text_.substr(0, offset));
  EXPECT_GT(reader.changes(), 0u);
}

TEST_F(KeyedOverflowTest, AFilteredReaderIsGivenItsOwn) {
  const std::string_view wanted = "b";
  TagsFilter filter;
  ASSERT_TRUE(filter.add(TagsFilter::Test::kEqual, "k", std::span(&wanted, 1)));
  FakeClient& client = stuck_with({.dialect = nullptr,
                                   .delta = false,
                                   .filter = std::make_unique<const TagsFilter>(std::move(filter))},
                                  0);
  publish_keys("bbaba");
  Texts got;
  for (const auto& frame : read_on(client))
    if (!frame.starts_with("gap")) got.push_back(frame);
  EXPECT_EQ(got, (Texts{"a:4:bbab"}));
}

}  // namespace
}  // namespace parley::session
