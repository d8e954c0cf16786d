// What a client that does not read is given when it reads again, by its channel's policy.
#include <string>
#include <vector>

#include "tests/support/delta_reader.h"
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
  void rule(hub::OverflowPolicy policy, size_t max_bytes, Duration max_delay = {}) {
    hub::ChannelOptions options = testing::FakeRules::usual();
    options.allow_delta = true;
    options.overflow = {policy, max_bytes, max_delay};
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

}  // namespace
}  // namespace parley::session
