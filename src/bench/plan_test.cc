#include "bench/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load.h"
#include "bench/target.h"

namespace parley::bench {
namespace {

using ::testing::HasSubstr;

Wishes wish(const char* scenario) {
  return {.scenario = scenario, .url = "http://127.0.0.1:8000", .pid = 1};
}

TEST(BenchPlan, EveryScenarioHasAPlanOfItsOwn) {
  struct Row {
    const char* scenario;
    uint64_t connections;
    Pace pace;
  };
  for (const Row& row : {Row{"connect", 1000, Pace::kWindow}, Row{"fanout", 1001, Pace::kRate},
                         Row{"channels", 5001, Pace::kRate}, Row{"echo", 100, Pace::kOwnWindow},
                         Row{"ingest", 2, Pace::kWindow}, Row{"api", 17, Pace::kOneRequest},
                         Row{"idle", 10'000, Pace::kWindow}, Row{"slow", 111, Pace::kRate}}) {
    const auto request = to_request(wish(row.scenario));
    ASSERT_TRUE(request) << row.scenario;
    EXPECT_EQ(Load::connections(request->plan), row.connections) << row.scenario;
    EXPECT_EQ(request->plan.pace, row.pace) << row.scenario;
  }
  EXPECT_EQ(scenario_names().size(), 8u);
}

TEST(BenchPlan, WishesWin) {
  Wishes wishes = wish("fanout");
  wishes.subscribers = 5;
  wishes.publishers = 3;
  wishes.window = 16;
  wishes.count = 7;
  const auto request = to_request(wishes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->plan.subscribers, 5u);
  EXPECT_EQ(request->plan.publishers, 3u);
  EXPECT_EQ(request->plan.pace, Pace::kWindow);
  EXPECT_EQ(request->plan.window, 16u);
  EXPECT_EQ(request->count, 7u);
  EXPECT_EQ(request->warm_seconds, 0);
}

TEST(BenchPlan, SlowOnesMayHaveManyChannels) {
  Wishes wishes = wish("slow");
  wishes.channels = 3;
  wishes.subscribers = 2;
  wishes.slow = 6;
  wishes.warm = 4;
  const auto request = to_request(wishes);
  ASSERT_TRUE(request);
  EXPECT_EQ(Load::connections(request->plan), 3 * 2 + 6 + 1u);
  EXPECT_EQ(request->warm_seconds, 4);
}

template <class Change>
std::string fault(const char* scenario, Change change) {
  Wishes wishes = wish(scenario);
  change(wishes);
  const auto request = to_request(wishes);
  EXPECT_FALSE(request) << scenario;
  return request ? "" : request.error().message;
}

TEST(BenchPlan, RefusesWhatMakesNoSense) {
  EXPECT_THAT(fault("connect", [](Wishes& w) { w.rate = 1; }), HasSubstr("no use for --rate"));
  EXPECT_THAT(fault("fanout", [](Wishes& w) { w.batch = 2; }), HasSubstr("--batch"));
  EXPECT_THAT(fault("fanout", [](Wishes& w) { w.slow = 2; }), HasSubstr("--slow"));
  EXPECT_THAT(fault("api", [](Wishes& w) { w.subscribers = 2; }), HasSubstr("--subscribers"));
  EXPECT_THAT(fault("ingest", [](Wishes& w) { w.channels = 2; }), HasSubstr("--channels"));
  EXPECT_THAT(fault("api", [](Wishes& w) { w.batch = 10, w.window = 9; }), HasSubstr("--window"));
  EXPECT_THAT(fault("slow", [](Wishes& w) { w.rate = w.window = 1; }), HasSubstr("--window"));
  EXPECT_THAT(fault("fanout", [](Wishes& w) { w.payload_bytes = 10; }), HasSubstr("--payload"));
  EXPECT_THAT(fault("idle", [](Wishes& w) { w.pid = 0; }), HasSubstr("--pid"));
  EXPECT_THAT(fault("idle", [](Wishes& w) { w.channels = 3; }), HasSubstr("multiple"));
  EXPECT_THAT(fault("echo", [](Wishes& w) { w.protocol = "eventsource"; }),
              HasSubstr("--protocol"));
  EXPECT_THAT(fault("channels", [](Wishes& w) { w.channels = w.subscribers = 1 << 20; }),
              HasSubstr("too many"));
  EXPECT_THAT(fault("fanout", [](Wishes& w) { w.url = "https://h"; }), HasSubstr("TLS"));
  EXPECT_THAT(fault("nothing", [](Wishes&) {}), HasSubstr("scenario"));
}

TEST(BenchTarget, KnowsSchemesHostsAndPorts) {
  EXPECT_EQ(parse_target("http://127.0.0.1:8000/x")->port, "8000");
  EXPECT_EQ(parse_target("ws://h")->port, "80");
  EXPECT_EQ(parse_target("nats://h")->port, "4222");
  EXPECT_EQ(parse_target("http://[::1]:9")->host, "::1");
  EXPECT_EQ(parse_target("http://[::1]:9")->port, "9");
  EXPECT_EQ(parse_target("http://[::1]")->authority, "[::1]");
  for (const char* bad : {"", "h:1", "http://", "http://:80", "http://h:0", "http://h:x",
                          "http://h:70000", "wss://h", "ftp://h"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(BenchTarget, ResolvesNumbers) {
  const auto target = resolve("http://127.0.0.1:8000");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host, "127.0.0.1:8000");
  EXPECT_GT(target->length, 0u);
}

}  // namespace
}  // namespace parley::bench
