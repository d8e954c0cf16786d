// The contract of session::Adapter, for every protocol whose rig is linked in (adapter_rig.h).
#include <random>

#include <gtest/gtest.h>

#include "tests/contract/adapter_rig.h"

namespace parley::testing {
namespace {

using Kind = Heard::Kind;
using session::EndReason;

void append(std::vector<int>& all, const std::vector<int>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// What the world must look like when every client has gone and interest has cooled.
void expect_nothing_left(SessionWorld& world) {
  world.run();
  EXPECT_TRUE(world.subscribers().empty());
  EXPECT_EQ(world.table().size(), 0u);
  world.advance(seconds(12));
  EXPECT_EQ(world.hub().channels_followed(), 0u);
}

}  // namespace

class AdapterContract : public ::testing::TestWithParam<RegisteredRig> {
 protected:
  void SetUp() override {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    for (const UnwrittenRule& missing : rig_->unwritten())
      if (test.starts_with(missing.test + "/")) FAIL() << "not written yet: " << missing.rule;
  }
  std::unique_ptr<AdapterRig> rig_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Rigs, AdapterContract, ::testing::ValuesIn(registered_rigs()),
                         ::testing::PrintToStringParamName());

TEST_P(AdapterContract, TheSubscribeReplyComesBeforePublications) {
  SessionWorld world;
  publish_numbers(world, 1, 3);
  const auto client = rig_->client();
  client->open(world, "room", "");
  publish_numbers(world, 4, 6);
  world.run();
  publish_numbers(world, 7, 9);
  world.run();
  const std::vector<Heard> heard = client->hear();
  ASSERT_EQ(count(heard, Kind::kSubscribed), 1u);
  for (const Heard& one : heard) {
    if (one.kind == Kind::kSubscribed) break;
    EXPECT_NE(one.kind, Kind::kMessage);
  }
  // How much of what was published meanwhile is new to it is open, but not that it has no hole.
  const std::vector<int> got = numbers(heard);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got, range(got.front(), 9));
}

TEST_P(AdapterContract, PublicationsComeInOrderAndOnce) {
  SessionWorld world;
  const auto client = rig_->client();
  client->open(world, "room", "");
  world.run();
  for (int n = 0; n < 1000; n += 50) {
    publish_numbers(world, n + 1, n + 50);
    world.run();
  }
  EXPECT_EQ(numbers(client->hear()), range(1, 1000));
}

TEST_P(AdapterContract, ABlockedClientGetsEverythingWhenItReadsAgain) {
  SessionWorld world;
  const auto client = rig_->client();
  client->open(world, "room", "");
  world.run();
  std::mt19937 random(1);
  std::vector<int> got;
  int published = 0;
  for (int round = 0; round < 300; ++round) {
    client->link().allow(random() % 90);  // cuts frames anywhere
    publish_numbers(world, published + 1, published + 3);
    published += 3;
    world.run();
    append(got, numbers(client->hear()));
  }
  client->link().unblock();
  world.run();
  append(got, numbers(client->hear()));
  EXPECT_EQ(got, range(1, published));
}

TEST_P(AdapterContract, ResumesWithoutLossOrDuplicate) {
  if (!rig_->resumes()) GTEST_SKIP() << "the protocol has no resume";
  SessionWorld world;
  hub::ChannelOptions options = FakeRules::usual();
  options.history_size = 1000;
  world.rules().set("room", options);
  std::mt19937 random(2);
  std::vector<int> got;
  std::string resume;
  int published = 0;
  for (int connection = 0; connection < 40; ++connection) {
    const auto client = rig_->client();
    client->open(world, "room", resume);
    // The first is cut off before anything was published, the others anywhere.
    if (connection > 0) client->link().allow(random() % 1000);
    if (random() % 2 == 0) world.run();
    for (int burst = 0; connection > 0 && burst < 3; ++burst) {
      publish_numbers(world, published + 1, published + 4);
      published += 4;
      if (random() % 2 == 0) world.run();
    }
    world.run();
    if (connection == 39) client->link().unblock();
    world.run();
    const std::vector<Heard> heard = client->hear();
    EXPECT_EQ(count(heard, Kind::kGap), 0u);
    append(got, numbers(heard));
    resume = resume_after(heard, resume);
    client->link().leave();
    publish_numbers(world, published + 1, published + 2);
    published += 2;
    // Long enough, now and then, that only history still has what was missed.
    world.advance(connection % 5 == 4 ? seconds(12) : seconds(0));
  }
  const auto last = rig_->client();
  last->open(world, "room", resume);
  world.run();
  append(got, numbers(last->hear()));
  EXPECT_EQ(got, range(1, published));
}

TEST_P(AdapterContract, AResumeBeyondRetentionTellsTheGapFirst) {
  if (!rig_->resumes()) GTEST_SKIP() << "the protocol has no resume";
  SessionWorld world;
  hub::ChannelOptions options = FakeRules::usual();
  options.history_size = 5;
  world.rules().set("room", options);
  const auto first = rig_->client();
  first->open(world, "room", "");
  world.run();
  publish_numbers(world, 1, 1);
  world.run();
  const std::string resume = resume_after(first->hear(), "");
  first->link().leave();
  world.advance(seconds(12));
  publish_numbers(world, 2, 20);
  world.run();
  const auto second = rig_->client();
  second->open(world, "room", resume);
  world.run();
  const std::vector<Heard> heard = second->hear();
  EXPECT_EQ(count(heard, Kind::kGap), 1u);
  for (const Heard& one : heard) {
    if (one.kind == Kind::kGap) break;
    EXPECT_NE(one.kind, Kind::kMessage) << one.data;
  }
  const std::vector<int> got = numbers(heard);
  EXPECT_EQ(got, range(got.empty() ? 21 : got.front(), 20));
}

TEST_P(AdapterContract, ALostHistoryIsTold) {
  SessionWorld world;
  const auto client = rig_->client();
  client->open(world, "room", "");
  world.run();
  const hub::StreamPosition at = world.publish("room", "1");
  client->hear();
  world.broker().interject([&](hub::BrokerEvents& events) {
    hub::Attached now{.epoch = at.epoch, .top = 0};
    ++now.epoch.counter;
    events.on_reset({"room"}, now, hub::GapReason::kEpochChanged);
  });
  world.run();
  EXPECT_TRUE(count(client->hear(), Kind::kGap) == 1 || client->link().ended());
}

TEST_P(AdapterContract, NothingFollowsTheEnd) {
  for (const bool by_table : {false, true}) {
    SessionWorld world;
    const auto client = rig_->client();
    client->open(world, "room", "");
    world.run();
    client->link().allow(0);
    publish_numbers(world, 1, 5);
    world.run();
    if (by_table) {
      world.table().end_all(EndReason::kShutdown);
      world.table().end_all(EndReason::kShutdown);
    } else {
      client->link().session()->end(EndReason::kShutdown);
      client->link().session()->end(EndReason::kSlow);
    }
    client->link().unblock();
    world.run();
    ASSERT_TRUE(client->link().ended());
    EXPECT_EQ(client->link().end_seen()->reason, EndReason::kShutdown);
    EXPECT_FALSE(client->link().connected());
    const size_t bytes = client->link().bytes_taken();
    publish_numbers(world, 6, 9);
    world.advance(seconds(60));
    EXPECT_EQ(client->link().bytes_taken(), bytes);
    expect_nothing_left(world);
  }
}

TEST_P(AdapterContract, AClientMayLeaveAtAnyMoment) {
  SessionWorld world;
  for (int moment = 0; moment < 4; ++moment) {
    const auto client = rig_->client();
    client->open(world, "room", "");
    if (moment > 0) world.run();
    if (moment > 1) publish_numbers(world, 1, 2);
    if (moment > 2) client->link().session()->end(EndReason::kNoPong);
    client->link().leave();
    world.run();
    EXPECT_FALSE(client->link().connected());
  }
  expect_nothing_left(world);
}

TEST_P(AdapterContract, EveryEndReasonHasItsWords) {
  for (int reason = 0; reason < session::kEndReasons; ++reason) {
    SessionWorld world;
    const auto client = rig_->client();
    client->open(world, "room", "");
    world.run();
    client->link().session()->end(static_cast<EndReason>(reason));
    world.run();
    ASSERT_TRUE(client->link().ended());
    EXPECT_NE(client->link().end_seen()->code.code, 0);
    EXPECT_FALSE(client->link().connected());
  }
}

TEST_P(AdapterContract, GarbageNeitherCrashesNorLeaks) {
  constexpr int kRounds = 1000;
  SessionWorld world;
  std::mt19937 random(3);
  const std::vector<std::string> samples = rig_->samples();
  const auto junk = [&](size_t max) {
    std::string bytes;
    if (!samples.empty() && random() % 2 == 0) bytes = samples[random() % samples.size()];
    const size_t changes = bytes.empty() ? random() % max : random() % 4;
    for (size_t i = 0; i < changes; ++i)
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1)),
                   static_cast<char>(random()));
    return bytes;
  };
  for (int round = 0; round < kRounds; ++round) {
    FakeRequest request{.path = "room", .query = junk(20)};
    if (random() % 4 == 0) request.path = junk(300);
    request.headers.emplace_back("Last-Event-ID", junk(20));
    FakeClient& client = world.open(rig_->factory(), request);
    for (size_t message = random() % 5; message > 0; --message) {
      client.send(junk(60), static_cast<session::MessageType>(random() % 2));
      if (random() % 2 == 0) world.run();
    }
    if (random() % 8 == 0) world.publish_later("room", binary(junk(60)));
    if (random() % 2 == 0) client.leave();
    if (round % 50 == 49) {
      world.run();
      world.table().end_all(EndReason::kShutdown);
    }
  }
  world.run();
  expect_nothing_left(world);
}

TEST_P(AdapterContract, AClientThatReadsNothingIsCutOff) {
  SessionWorld world;
  const auto client = rig_->client();
  client->open(world, "room", "");
  world.run();
  client->link().allow(0);
  publish_numbers(world, 1, 10);
  world.advance(seconds(29));
  EXPECT_TRUE(client->link().connected());
  world.advance(seconds(2));
  EXPECT_FALSE(client->link().connected());
  ASSERT_TRUE(client->link().ended());
  EXPECT_EQ(client->link().end_seen()->reason, EndReason::kSlow);
  expect_nothing_left(world);
}

TEST_P(AdapterContract, WhatIsOwedToABlockedClientIsBounded) {
  SessionWorld world({.outbox_bytes = 16 * 1024, .pending_commands = 64});
  const auto client = rig_->client();
  client->open(world, "room", "");
  world.run();
  client->link().allow(0);
  std::vector<std::string> samples = rig_->samples();
  if (samples.empty()) samples.emplace_back(100, 'x');
  for (size_t i = 0; i < 10'000 && !client->link().ended(); ++i) {
    // A transport stops reading when it is asked to.
    if (!client->link().input_paused()) client->link().send(samples[i % samples.size()]);
    world.run();
  }
  // One that is not read any more is ended when it has taken nothing for long enough.
  if (!client->link().ended()) {
    EXPECT_TRUE(client->link().input_paused());
    world.advance(seconds(40));
    ASSERT_TRUE(client->link().ended());
    EXPECT_EQ(client->link().end_seen()->reason, EndReason::kSlow);
  }
  client->link().leave();
  expect_nothing_left(world);
}

}  // namespace parley::testing
