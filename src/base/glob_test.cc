#include "base/glob.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(GlobMatch, Table) {
  EXPECT_TRUE(glob_match("", "anything"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*c", "abbbc"));
  EXPECT_TRUE(glob_match("a?c*", "abc"));
  EXPECT_TRUE(glob_match("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("a*c", "abcd"));
  EXPECT_FALSE(glob_match("?", ""));
  // '*' in the text is only text.
  EXPECT_TRUE(glob_match("a?", "a*"));
  EXPECT_FALSE(glob_match("ab", "a*"));
}

}  // namespace
}  // namespace parley
