#include "auth/bearer.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

TEST(BearerToken, IsWhatFollowsTheScheme) {
  EXPECT_EQ(bearer_token("Bearer abc.def"), "abc.def");
  EXPECT_EQ(bearer_token("bEARER   abc"), "abc");
  for (const char* other : {"", "Bearer", "Bearer ", "Basic abc", "bearerabc", "abc"})
    EXPECT_EQ(bearer_token(other), "") << other;
}

}  // namespace
}  // namespace parley::auth
