#include "hub/epoch.h"

#include <gtest/gtest.h>

namespace parley::hub {
namespace {

TEST(Epoch, RoundTrip) {
  for (const Epoch& epoch : {Epoch{1, 0, 0}, Epoch{35, 1, 0}, Epoch{36, 0, 1},
                             Epoch{UINT64_MAX, UINT32_MAX, UINT32_MAX}, Epoch{7, 3, 2}, Epoch{}}) {
    const std::string text = to_string(epoch);
    EXPECT_EQ(text.empty(), !epoch.known());
    const auto parsed = parse_epoch(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, epoch) << text;
  }
  EXPECT_EQ(to_string(Epoch{35, 0, 0}), "z");
  EXPECT_EQ(to_string(Epoch{36, 0, 1}), "10-0-1");
}

TEST(Epoch, OnlyTheCanonicalTextIsAnEpoch) {
  for (const char* text : {"0", "01", "A", "a-", "-a", "a-0", "a-0-0", "a-1-0", "a-01", "a-1-1-1",
                           "a b", " a", "+1", "-1", "a--1", "3w5e11264sgsg", "1-1z141z4", "a-b_"})
    EXPECT_FALSE(parse_epoch(text).has_value()) << text;
}

TEST(Epoch, GenerationsShareAnIncarnation) {
  EXPECT_TRUE((Epoch{7, 1, 0}.same_incarnation(Epoch{7, 1, 4})));
  EXPECT_FALSE((Epoch{7, 1, 0}.same_incarnation(Epoch{7, 2, 0})));
  EXPECT_FALSE((Epoch{7, 1, 0}.same_incarnation(Epoch{8, 1, 0})));
}

TEST(GapReason, HasAName) {
  EXPECT_EQ(to_string(GapReason::kRetention), "retention");
  EXPECT_EQ(to_string(GapReason::kUnsupported), "unsupported");
}

}  // namespace
}  // namespace parley::hub
