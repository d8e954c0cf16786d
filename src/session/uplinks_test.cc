#include "session/uplinks.h"

#include <map>

#include <gmock/gmock.h>

#include "tests/support/metric_delta.h"
#include "tests/support/seeded_ids.h"

namespace parley::session {
namespace {

using parley::testing::MetricDelta;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Sink final : UplinkSink {
  Delivery take(Buffer&& message) override {
    if (full) return Delivery::kTooMuch;
    messages.push_back(std::move(message));
    return Delivery::kTaken;
  }
  std::vector<std::string> messages;
  bool full = false;
};

// Lines between shards that deliver when the test says so.
struct Lines {
  struct End final : UplinkPost {
    End(Lines& l, ShardId s) : lines(l), self(s) {}
    bool take_credit(ShardId) override { return credits > 0 && credits-- > 0; }
    void send_request(ShardId to, UplinkMail mail) override { send(to, std::move(mail)); }
    void send_answer(ShardId to, UplinkMail mail) override { send(to, std::move(mail)); }
    void send(ShardId to, UplinkMail mail) { lines.queues[{self, to}].push_back(std::move(mail)); }
    Lines& lines;
    ShardId self;
    int credits = 2;
  };
  std::map<std::pair<ShardId, ShardId>, std::deque<UplinkMail>> queues;
};

class UplinksTest : public ::testing::Test {
 protected:
  // Delivers one piece of mail; false: there was none.
  bool deliver(ShardId from, ShardId to) {
    auto& queue = lines_.queues[{from, to}];
    if (queue.empty()) return false;
    UplinkMail mail = std::move(queue.front());
    queue.pop_front();
    // As in io: an answer brings its credit back before it is looked at.
    if (!mail.request) ++ends_[to].credits;
    shards_[to].receive(from, std::move(mail));
    return true;
  }
  void deliver_all() {
    while (deliver(0, 1) || deliver(1, 0)) {
    }
  }
  void ask(ShardId at, const std::string& key, const std::string& message) {
    shards_[at].deliver(key, message, [this, message](Delivery outcome) {
      answers_.emplace_back(message, outcome);
    });
  }

  using Answers = std::vector<std::pair<std::string, Delivery>>;
  static constexpr UplinkLimits kLimits{.parked_requests = 3, .parked_bytes = 64};
  parley::testing::SeededIds ids_;
  Lines lines_;
  Lines::End ends_[2] = {{lines_, 0}, {lines_, 1}};
  Uplinks shards_[2] = {{0, 2, ends_[0], ids_, kLimits}, {1, 2, ends_[1], ids_, kLimits}};
  Sink sink_;
  Answers answers_;
};

TEST_F(UplinksTest, AKeySurvivesItsText) {
  const UplinkKey key = shards_[1].open(sink_);
  const std::string text = to_string(key);
  EXPECT_EQ(text.size(), 44u);
  const auto again = parse_uplink_key(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_string(*again), text);
  EXPECT_EQ(again->shard, 1);
  for (size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(parse_uplink_key(text.substr(0, at)));
    for (const char odd : {'g', 'A', ' ', '+', '-', 'x', '\0'}) {
      std::string other = text;
      other[at] = odd;
      EXPECT_FALSE(parse_uplink_key(other)) << other;
    }
  }
  EXPECT_FALSE(parse_uplink_key(text + "0"));
}

TEST_F(UplinksTest, OfThisShardIsTakenAtOnce) {
  const std::string key = to_string(shards_[0].open(sink_));
  ask(0, key, "a");
  EXPECT_THAT(sink_.messages, ElementsAre("a"));
  EXPECT_EQ(answers_, (Answers{{"a", Delivery::kTaken}}));
}

TEST_F(UplinksTest, OfAnotherShardIsHandedOnAndAnswered) {
  const MetricDelta forwarded("parley_uplink_forwarded_total");
  const std::string key = to_string(shards_[1].open(sink_));
  ask(0, key, "a");
  EXPECT_THAT(answers_, IsEmpty());
  deliver_all();
  EXPECT_THAT(sink_.messages, ElementsAre("a"));
  EXPECT_EQ(answers_, (Answers{{"a", Delivery::kTaken}}));
  EXPECT_EQ(forwarded(), 1);
}

TEST_F(UplinksTest, WhoGuessesFindsNothing) {
  const MetricDelta unknown(R"(parley_uplink_requests_total{outcome="unknown"})");
  const UplinkKey key = shards_[1].open(sink_);
  UplinkKey wrong = key;
  wrong.secret[0] ^= 1;
  ask(0, to_string(wrong), "a");
  wrong = key;
  wrong.secret[1] ^= uint64_t{1} << 63;
  ask(0, to_string(wrong), "b");
  wrong = key;
  wrong.place += 1;
  ask(0, to_string(wrong), "c");
  deliver_all();
  wrong = key;
  wrong.shard = 2;
  ask(0, to_string(wrong), "d");
  ask(0, "", "e");
  EXPECT_THAT(sink_.messages, IsEmpty());
  EXPECT_EQ(unknown(), 5);
  for (const auto& [message, outcome] : answers_) EXPECT_EQ(outcome, Delivery::kUnknown);
}

// The new session has the place of the old one, and not its client.
TEST_F(UplinksTest, AClosedKeyIsDeadForEver) {
  const UplinkKey old = shards_[1].open(sink_);
  ask(0, to_string(old), "under way");
  shards_[1].close(old);
  Sink next;
  const UplinkKey key = shards_[1].open(next);
  EXPECT_EQ(key.place, old.place);
  deliver_all();
  ask(0, to_string(old), "later");
  deliver_all();
  EXPECT_EQ(answers_, (Answers{{"under way", Delivery::kUnknown}, {"later", Delivery::kUnknown}}));
  EXPECT_THAT(next.messages, IsEmpty());
  EXPECT_EQ(shards_[1].open_uplinks(), 1u);
}

// Two are under way, the others wait for them, in order; who finds no room is told at once.
TEST_F(UplinksTest, WhatHasNoCreditWaitsInOrderAndWithinLimits) {
  const std::string key = to_string(shards_[1].open(sink_));
  for (const auto* message : {"1", "2", "3", "4", "5", "6"}) ask(0, key, message);
  EXPECT_EQ(answers_, (Answers{{"6", Delivery::kBusy}}));
  EXPECT_EQ(lines_.queues[std::pair(ShardId{0}, ShardId{1})].size(), 2u);
  deliver_all();
  EXPECT_THAT(sink_.messages, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(answers_.size(), 6u);
  answers_.clear();
  ask(0, key, "again");
  deliver_all();
  EXPECT_EQ(answers_, (Answers{{"again", Delivery::kTaken}}));
}

TEST_F(UplinksTest, WhatWaitsIsBoundedInBytes) {
  const std::string key = to_string(shards_[1].open(sink_));
  ask(0, key, "1");
  ask(0, key, "2");
  ask(0, key, std::string(60, 'x'));
  ask(0, key, std::string(5, 'y'));
  EXPECT_EQ(answers_, (Answers{{"yyyyy", Delivery::kBusy}}));
}

TEST_F(UplinksTest, AFullSinkIsTooMuch) {
  const std::string key = to_string(shards_[1].open(sink_));
  sink_.full = true;
  ask(0, key, "a");
  deliver_all();
  EXPECT_EQ(answers_, (Answers{{"a", Delivery::kTooMuch}}));
}

}  // namespace
}  // namespace parley::session
