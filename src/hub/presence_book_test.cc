#include "hub/presence_book.h"

#include <gtest/gtest.h>

#include "tests/support/hub_fakes.h"
#include "tests/support/metric_delta.h"

namespace parley::hub {
namespace {

class PresenceBookTest : public ::testing::Test {
 protected:
  std::expected<PublicationPtr, HubError> apply(Change change, const std::string& client,
                                                const std::string& user = "u",
                                                const std::string& info = "") {
    return book_.apply({"room", change, {.user = user, .client = client, .channel_info = info}},
                       42);
  }
  PublicationPtr told(Change change, const std::string& client, const std::string& user = "u",
                      const std::string& info = "") {
    return apply(change, client, user, info).value();
  }
  testing::SeededIds ids_{5};
  PresenceBook book_{ids_, 3};
};

TEST_F(PresenceBookTest, TellsAndLeavesWithEveryFieldOfTheMember) {
  const ClientInfo member{.user = "",
                          .client = "c1",
                          .connection_info = R"({"a":1})",
                          .channel_info = std::string(1000, 'x')};
  EXPECT_EQ(*book_.apply({"room", Change::kEnter, member}, 1).value()->publisher, member);
  ASSERT_EQ(book_.snapshot("room").members().size(), 1u);
  EXPECT_EQ(book_.snapshot("room").members()[0], member);
  EXPECT_EQ(*told(Change::kLeave, "c1")->publisher, member);
}

// A client may ask a thousand times before the first answer has gone.
TEST_F(PresenceBookTest, SnapshotsShareOneListUntilSomethingChanges) {
  told(Change::kEnter, "c1");
  const PresenceSnapshot one = book_.snapshot("room");
  EXPECT_EQ(book_.snapshot("room").list, one.list);
  EXPECT_EQ(one.bytes, 3u);
  told(Change::kEnter, "c1");  // no change
  EXPECT_EQ(book_.snapshot("room").list, one.list);
  told(Change::kEnter, "c2");
  EXPECT_EQ(book_.snapshot("room").members().size(), 2u);
  EXPECT_EQ(one.members().size(), 1u);
  EXPECT_EQ(book_.snapshot("room").position.offset, 2u);
}

TEST_F(PresenceBookTest, EnterUpdateLeave) {
  const auto entered = told(Change::kEnter, "c1", "u", "1");
  EXPECT_EQ(entered->change, Change::kEnter);
  EXPECT_EQ(entered->key, "c1");
  EXPECT_EQ(entered->time, 42);
  EXPECT_EQ(entered->offset, 1u);
  EXPECT_EQ(told(Change::kEnter, "c1", "u", "1"), nullptr);  // nothing changed
  EXPECT_EQ(told(Change::kEnter, "c1", "u", "2")->change, Change::kUpdate);
  EXPECT_EQ(told(Change::kUpdate, "c2")->change, Change::kEnter);  // it was not there
  const auto left = told(Change::kLeave, "c1");
  EXPECT_EQ(left->change, Change::kLeave);
  EXPECT_EQ(left->publisher->channel_info, "2");  // what the others knew
  EXPECT_EQ(left->prev, 3u);
  EXPECT_EQ(told(Change::kLeave, "c1"), nullptr);
  EXPECT_EQ(book_.counts("room").clients, 1u);
}

// Few members are looked through, many are counted as they come and go.
TEST_F(PresenceBookTest, CountsUsersOfManyMembers) {
  PresenceBook book(ids_, 1000);
  const auto change = [&](Change what, int client) {
    const std::string user = "u" + std::to_string(client / 2);
    return book.apply({"room", what, {.user = user, .client = "c" + std::to_string(client)}}, 42);
  };
  for (int client = 0; client < 100; ++client) {
    ASSERT_TRUE(change(Change::kEnter, client));
    ASSERT_EQ(book.counts("room").users, static_cast<size_t>(client) / 2 + 1);
  }
  for (int client = 99; client >= 0; --client) {
    ASSERT_EQ(book.counts("room").users, static_cast<size_t>(client) / 2 + 1);
    ASSERT_TRUE(change(Change::kLeave, client));
  }
  EXPECT_EQ(book.counts("room").clients, 0u);
}

TEST_F(PresenceBookTest, LeaveOfAnUnknownChannelMakesNone) {
  EXPECT_EQ(told(Change::kLeave, "c1"), nullptr);
  EXPECT_FALSE(book_.snapshot("room").position.epoch.known());
}

TEST_F(PresenceBookTest, CountsUsersAndConnections) {
  told(Change::kEnter, "c1", "a");
  told(Change::kEnter, "c2", "a");
  told(Change::kEnter, "c3", "b");
  EXPECT_EQ(book_.counts("room").clients, 3u);
  EXPECT_EQ(book_.counts("room").users, 2u);
  told(Change::kUpdate, "c3", "a");  // another user on the same session
  EXPECT_EQ(book_.counts("room").users, 1u);
  told(Change::kLeave, "c1");
  told(Change::kLeave, "c2");
  EXPECT_EQ(book_.counts("room").users, 1u);
  told(Change::kLeave, "c3");
  EXPECT_EQ(book_.counts("room").users, 0u);
}

TEST_F(PresenceBookTest, IsBounded) {
  for (const char* client : {"c1", "c2", "c3"}) told(Change::kEnter, client);
  const testing::MetricDelta refused("parley_presence_refused_total");
  EXPECT_EQ(apply(Change::kEnter, "c4").error(), HubError::kOverloaded);
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(told(Change::kUpdate, "c3", "x")->change, Change::kUpdate);
  told(Change::kLeave, "c1");
  EXPECT_TRUE(apply(Change::kEnter, "c4").has_value());
}

TEST_F(PresenceBookTest, AnEmptyChannelIsForgottenAndComesBackWithAnotherEpoch) {
  told(Change::kEnter, "c1");
  const Epoch first = book_.snapshot("room").position.epoch;
  told(Change::kLeave, "c1");
  EXPECT_FALSE(book_.snapshot("room").position.epoch.known());
  told(Change::kEnter, "c1");
  const auto again = book_.snapshot("room");
  EXPECT_NE(again.position.epoch, first);
  EXPECT_EQ(again.position.offset, 1u);
}

TEST_F(PresenceBookTest, WhoIsNotListedIsToldOfAllTheSame) {
  const PresenceManner unlisted{.listed = false};
  EXPECT_EQ(book_.apply({"room", Change::kEnter, {.user = "a", .client = "c1"}, unlisted}, 1)
                .value()
                ->change,
            Change::kEnter);
  told(Change::kEnter, "c2", "b");
  ASSERT_EQ(book_.snapshot("room").members().size(), 1u);
  EXPECT_EQ(book_.snapshot("room").members()[0].client, "c2");
  EXPECT_EQ(book_.counts("room").clients, 1u);
  EXPECT_EQ(book_.counts("room").users, 1u);
  EXPECT_EQ(told(Change::kLeave, "c1")->publisher->user, "a");
  EXPECT_EQ(book_.counts("room").clients, 1u);
}

TEST_F(PresenceBookTest, WhoIsNotToldOfIsListedAndMakesNoHole) {
  told(Change::kEnter, "c1");
  const PresenceManner quiet{.announced = false};
  EXPECT_EQ(book_.apply({"room", Change::kEnter, {.client = "c2"}, quiet}, 1).value(), nullptr);
  EXPECT_EQ(book_.snapshot("room").members().size(), 2u);
  EXPECT_EQ(told(Change::kLeave, "c2"), nullptr) << "nobody knew";
  EXPECT_EQ(book_.snapshot("room").members().size(), 1u);
  EXPECT_EQ(told(Change::kLeave, "c1")->prev, 1u);
}

// ... and of many, where users are counted.
TEST_F(PresenceBookTest, CountsUsersOfThoseListed) {
  PresenceBook book(ids_, 100);
  const auto change = [&](Change what, int client, bool listed) {
    const std::string user = "u" + std::to_string(client);
    return book.apply(
        {"room", what, {.user = user, .client = "c" + std::to_string(client)}, {.listed = listed}},
        42);
  };
  for (int client = 0; client < 40; ++client) change(Change::kEnter, client, client % 2 == 0);
  EXPECT_EQ(book.counts("room").clients, 20u);
  EXPECT_EQ(book.counts("room").users, 20u);
  change(Change::kUpdate, 1, true);
  change(Change::kUpdate, 0, false);
  change(Change::kLeave, 2, true);
  change(Change::kLeave, 3, false);
  EXPECT_EQ(book.counts("room").clients, 19u);
  EXPECT_EQ(book.counts("room").users, 19u);
}

TEST_F(PresenceBookTest, AFollowerPinsIt) {
  const Attached at = book_.follow("room");
  EXPECT_EQ(at.top, 0u);
  told(Change::kEnter, "c1");
  told(Change::kLeave, "c1");
  EXPECT_EQ(book_.snapshot("room").position, (StreamPosition{at.epoch, 2}));
  book_.unfollow("room");
  EXPECT_FALSE(book_.snapshot("room").position.epoch.known());
  book_.unfollow("room");
}

}  // namespace
}  // namespace parley::hub
