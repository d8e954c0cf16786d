#include <gtest/gtest.h>

#include "adapter/eventsource/adapter.h"
#include "tests/support/fake_quotas.h"
#include "tests/support/session_world.h"

namespace parley::adapter::eventsource {
namespace {

// An EventSource gives up for ever on a status, so it is told when to come again.
TEST(EventSourceUserLimitTest, OneMoreThanAllowedIsToldToComeMuchLater) {
  testing::FakeQuotas quotas;
  quotas.connections = 1;
  testing::SessionWorld world({.quotas = &quotas});
  testing::FakeAccess access;
  EventSourceFactory factory(access);
  world.tokens().connect_token("ann", "ann");
  const testing::FakeRequest request{.path = "news", .query = "token=ann"};
  testing::FakeClient& first = world.open(factory, request);
  world.run();
  EXPECT_FALSE(first.ended());
  testing::FakeClient& second = world.open(factory, request);
  world.run();
  ASSERT_TRUE(second.ended());
  EXPECT_EQ(second.end_seen()->reason, session::EndReason::kUserLimit);
  const std::string words = second.take_text();
  EXPECT_TRUE(words.starts_with(": end user_limit\n")) << words;
  EXPECT_NE(words.find("retry: "), words.npos) << words;
  EXPECT_EQ(world.subscribers()["news"], 1u);
  first.leave();
  world.run();
  EXPECT_EQ(quotas.of_all(), 0u);
}

}  // namespace
}  // namespace parley::adapter::eventsource
