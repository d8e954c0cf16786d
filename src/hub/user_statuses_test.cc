#include "hub/user_statuses.h"

#include <gtest/gtest.h>

namespace parley::hub {
namespace {

UserStatusOptions few(size_t users, seconds keep = seconds(100)) {
  return {.enabled = true, .keep = keep, .users = users};
}

TEST(UserStatusesTest, RemembersTheLastSigns) {
  UserStatuses all(few(10));
  EXPECT_EQ(all.find("ann").user, "ann");
  EXPECT_EQ(all.find("ann").active, 0);
  all.note_active("ann", 5);
  all.note_online("ann", 7);
  all.note_active("bob", 6);
  EXPECT_EQ(all.find("ann").active, 5);
  EXPECT_EQ(all.find("ann").online, 7);
  EXPECT_EQ(all.find("bob").online, 0);
  all.remove("ann");
  all.remove("nobody");
  EXPECT_EQ(all.find("ann").active, 0);
  EXPECT_EQ(all.size(), 1u);
}

TEST(UserStatusesTest, ExpireBehindTheLastSign) {
  UserStatuses all(few(10));
  all.note_active("ann", 1);
  all.note_active("bob", 2);
  all.note_online("ann", 50);
  all.expire(101);
  EXPECT_EQ(all.size(), 2u);
  all.expire(102);
  EXPECT_EQ(all.find("bob").active, 0);
  EXPECT_EQ(all.find("ann").active, 1);
  all.expire(150);
  EXPECT_EQ(all.size(), 0u);
}

TEST(UserStatusesTest, ManyExpireInSeveralCalls) {
  UserStatuses all(few(3000));
  for (int i = 0; i < 2500; ++i) all.note_active(std::to_string(i), 1);
  for (const size_t left : {1500u, 500u, 0u}) {
    all.expire(1000);
    EXPECT_EQ(all.size(), left);
  }
}

TEST(UserStatusesTest, TheOldestMakesRoom) {
  UserStatuses all(few(2));
  all.note_active("ann", 1);
  all.note_active("bob", 2);
  all.note_active("ann", 3);
  all.note_active("a user with a name that is not short", 4);
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(all.find("bob").active, 0);
  EXPECT_EQ(all.find("ann").active, 3);
}

}  // namespace
}  // namespace parley::hub
