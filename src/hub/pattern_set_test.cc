#include "hub/pattern_set.h"

#include <gtest/gtest.h>

namespace parley::hub {
namespace {

std::vector<PatternId> matches(const PatternList& list, std::string_view channel) {
  std::vector<PatternId> out;
  list.match(channel, out);
  return out;
}

TEST(PatternList, MatchesAllThatFit) {
  PatternList list(10);
  EXPECT_TRUE(list.add(1, PatternSyntax::kGlob, "news:*"));
  EXPECT_TRUE(list.add(2, PatternSyntax::kGlob, "*:eu"));
  EXPECT_TRUE(list.add(3, PatternSyntax::kGlob, "chat:?"));
  EXPECT_EQ(matches(list, "news:eu"), (std::vector<PatternId>{1, 2}));
  EXPECT_EQ(matches(list, "chat:1"), (std::vector<PatternId>{3}));
  EXPECT_TRUE(matches(list, "other").empty());
}

TEST(PatternList, RemoveAndLimit) {
  PatternList list(1);
  EXPECT_TRUE(list.add(1, PatternSyntax::kGlob, "*"));
  EXPECT_FALSE(list.add(2, PatternSyntax::kGlob, "*"));
  list.remove(2);
  EXPECT_EQ(matches(list, "a").size(), 1u);
  list.remove(1);
  EXPECT_TRUE(matches(list, "a").empty());
  EXPECT_TRUE(list.add(2, PatternSyntax::kGlob, "*"));
}

}  // namespace
}  // namespace parley::hub
