// Each test plants one bug of a server into a history, and its rule must find it.
#include <gmock/gmock.h>

#include "tests/history/history_testing.h"

namespace parley::history {
namespace {

using ::testing::HasSubstr;
using ::testing::StrEq;

// The run of correct_run() with one thing done to it.
History tampered(const std::function<void(History&)>& tamper) {
  History run = correct_run();
  tamper(run);
  return run;
}

TEST(PlantedBug, AnInventedPublication) {
  const History run =
      tampered([](History& to) { to.find(History::delivery("ann", 3)).value = "garbled"; });
  EXPECT_THAT(run.broken(), HasSubstr("a"));
}

TEST(PlantedBug, APublicationOfAnotherChannel) {
  const History run = tampered([](History& to) {
    Event& event = to.events.front();
    to.events.insert(to.events.begin(),
                     {.kind = Kind::kSent, .client = "writer", .channel = "other", .value = "x"});
    event.at = 0;
    to.find(History::delivery("ann", 3)).value = "x";
  });
  EXPECT_THAT(run.broken(), HasSubstr("a"));
  EXPECT_THAT(run.check()[0].text, HasSubstr("belongs to other"));
}

TEST(PlantedBug, ADeliveryBeforeItsPublication) {
  const History run = tampered([](History& to) {
    to.drop([](const Event& event) { return event.value == "v12" && event.client == "writer"; });
    to.sent("v12");
  });
  EXPECT_THAT(run.broken(), StrEq("a"));
}

TEST(PlantedBug, ADeliveryAfterUnsubscribed) {
  History run = correct_run();
  run.events.pop_back();
  run.add({.kind = Kind::kUnsubscribed, .client = "ann"});
  run.publish(13);
  run.delivered("ann", 13);
  EXPECT_EQ(run.broken(), "a");
}

TEST(PlantedBug, AFilterThatLetsThrough) {
  History run;
  run.subscribed("ann", 0).tag = "red";
  run.sent("v1").tag = "blue";
  run.acked("v1", 1);
  run.delivered("ann", 1);
  EXPECT_EQ(run.broken(), "a");
}

TEST(PlantedBug, ALostPublicationInTheMiddle) {
  const History run = tampered([](History& to) { to.drop(History::delivery("ann", 5)); });
  EXPECT_EQ(run.broken(), "b");
  EXPECT_EQ(run.check()[0].text,
            "ann in news: was given 6 behind 4 and never 5 nor told of it; 1 lost");
}

TEST(PlantedBug, ARecoveryThatSkipsItsFirst) {
  const History run = tampered([](History& to) { to.drop(History::delivery("bob", 5)); });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ARecoveryThatSkipsItsLast) {
  const History run = tampered([](History& to) { to.drop(History::delivery("bob", 9)); });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ASubscribeThatLosesWhatRacesWithItsReply) {
  const History run = tampered([](History& to) { to.drop(History::delivery("cid", 10)); });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ALossThatWasNeverAcknowledgedButSeenByAnother) {
  const History run = tampered([](History& to) {
    to.drop([](const Event& event) { return event.kind == Kind::kAcked && event.value == "v5"; });
    to.drop(History::delivery("ann", 5));
  });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, AnAcknowledgedPublicationThatNobodyGets) {
  const History run = tampered([](History& to) {
    to.events.pop_back();
    to.sent("nowhere");
    to.add({.kind = Kind::kAcked, .client = "writer", .value = "nowhere"});
    to.quiet();
  });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ANeedlessNotRecovered) {
  const History run = tampered([](History& to) {
    to.find([](const Event& event) { return event.recovered; }).recovered = false;
    to.find([](const Event& event) { return event.client == "bob"; }).window = 100;
    for (uint64_t offset = 5; offset <= 9; ++offset) to.drop(History::delivery("bob", offset));
  });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ANeedlessGap) {
  const History run = tampered([](History& to) {
    to.find([](const Event& event) { return event.client == "bob"; }).window = 100;
    Event& lost = to.find(History::delivery("bob", 5));
    lost = {.kind = Kind::kGap, .client = "bob", .channel = "news", .from = 5, .to = 5};
    lost.reason = "retention";
  });
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, AGapThatHidesMoreThanItTells) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 10, "e1");
  run.delivered("ann", 1, 2);
  run.gap("ann", 5, 8, "overflow");
  run.delivered("ann", 9, 10);
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, AGapOverWhatTheReaderHas) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 4, "e1");
  run.delivered("ann", 1, 3);
  run.gap("ann", 2, 3, "overflow");
  run.delivered("ann", 4);
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ARollbackOfSomethingDurable) {
  History run;
  run.subscribed("ann", 0);
  run.sent("v1");
  run.acked("v1", 1).durable = true;
  run.delivered("ann", 1);
  run.add({.kind = Kind::kEpochBegan, .epoch = "e2", .offset = 0, .after = "e1"});
  run.gap("ann", 1, 1, "rolled_back").epoch = "e2";
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ARollbackThatTellsTooLittle) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 5, "e1");
  run.delivered("ann", 1, 5);
  run.add({.kind = Kind::kEpochBegan, .epoch = "e2", .offset = 3, .after = "e1"});
  run.gap("ann", 4, 4, "rolled_back").epoch = "e2";
  EXPECT_EQ(run.broken(), "b");
}

TEST(PlantedBug, ADuplicate) {
  const History run = tampered([](History& to) {
    const auto at = std::ranges::find_if(to.events, History::delivery("ann", 7));
    to.events.insert(at, *at);
  });
  EXPECT_EQ(run.broken(), "c");
}

TEST(PlantedBug, ARecoveryThatBeginsOneTooEarly) {
  const History run = tampered([](History& to) {
    const auto at = std::ranges::find_if(to.events, History::delivery("bob", 5));
    Event event = *at;
    event.value = "v4";
    event.offset = 4;
    to.events.insert(at, event);
  });
  EXPECT_EQ(run.broken(), "c");
}

TEST(PlantedBug, ADuplicateWithoutOffsets) {
  History run;
  run.subscribed("ann", 0);
  run.sent("x");
  for (int i = 0; i < 2; ++i) run.add({.kind = Kind::kDelivered, .client = "ann", .value = "x"});
  EXPECT_EQ(run.broken(), "c");
}

TEST(PlantedBug, TwoDeliveriesInTheWrongOrder) {
  const History run = tampered([](History& to) {
    std::swap(to.find(History::delivery("ann", 3)), to.find(History::delivery("ann", 4)));
  });
  // Whoever gets 4 without 3 has lost 3; that it comes later does not help.
  EXPECT_EQ(run.broken(), "bd");
}

TEST(PlantedBug, ALivePublicationBeforeTheRecoveredOnes) {
  const History run = tampered([](History& to) {
    const auto live = std::ranges::find_if(to.events, History::delivery("bob", 10));
    const Event event = *live;
    to.events.erase(live);
    to.events.insert(std::ranges::find_if(to.events, History::delivery("bob", 5)), event);
  });
  EXPECT_THAT(run.broken(), HasSubstr("d"));
}

TEST(PlantedBug, ADeliveryFromBeforeTheSubscription) {
  const History run = tampered([](History& to) {
    const auto at = std::ranges::find_if(to.events, History::delivery("cid", 10));
    Event event = *at;
    event.value = "v9";
    event.offset = 9;
    to.events.insert(at, event);
  });
  EXPECT_EQ(run.broken(), "d");
}

TEST(PlantedBug, ARecoveryBehindTheReadersPosition) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 5, "e1");
  run.delivered("ann", 1, 5);
  run.disconnected("ann");
  run.recovered("ann", 3);
  EXPECT_EQ(run.broken(), "d");
}

TEST(PlantedBug, AnOffsetBelowOneThatWasAcknowledgedBefore) {
  History run;
  run.publish(2);
  run.publish(1);
  EXPECT_EQ(run.broken(), "d");
}

TEST(PlantedBug, TwoReadersWithDifferentValuesAtOneOffset) {
  const History run = tampered([](History& to) {
    to.find(History::delivery("ann", 3)).value = "v2";
    to.find(History::delivery("ann", 2)).value = "v3";
  });
  EXPECT_THAT(run.broken(), HasSubstr("e"));
}

TEST(PlantedBug, AnAcknowledgementThatNamesAnotherOffset) {
  const History run = tampered([](History& to) {
    to.find([](const Event& event) {
        return event.kind == Kind::kAcked && event.value == "v8";
      }).offset = 7;
  });
  EXPECT_THAT(run.broken(), HasSubstr("e"));
}

TEST(PlantedBug, ARefusedPublicationThatIsDelivered) {
  const History run = tampered([](History& to) {
    to.find([](const Event& event) {
        return event.kind == Kind::kAcked && event.value == "v8";
      }).kind = Kind::kRefused;
  });
  EXPECT_EQ(run.broken(), "f");
}

TEST(PlantedBug, AnEpochThatChangesWithoutReason) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 2, "e1");
  run.delivered("ann", 1, 2);
  run.publish(1, "e2");
  run.subscribed("ann", 1, "e2");
  EXPECT_EQ(run.broken(), "g");
}

TEST(PlantedBug, AnEpochChangeThatNobodyIsTold) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 2, "e1");
  run.delivered("ann", 1, 2);
  run.restarted();
  run.publish(1, 3, "e2");
  Event& event = run.delivered("ann", 3);
  event.value = "e2v3";
  event.epoch = "e2";
  EXPECT_EQ(run.broken(), "g");
}

TEST(PlantedBug, ARecoveryAcrossALostHistory) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 2, "e1");
  run.delivered("ann", 1, 2);
  run.restarted();
  run.disconnected("ann");
  run.publish(1, 3, "e2");
  run.recovered("ann", 3, "e2");
  EXPECT_EQ(run.broken(), "g");
}

TEST(PlantedBug, ARecoveryAboveTheDurableTop) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 5, "e1");
  run.delivered("ann", 1, 5);
  run.disconnected("ann");
  run.add({.kind = Kind::kEpochBegan, .epoch = "e2", .offset = 3, .after = "e1"});
  run.publish(4, 6, "e2");
  run.recovered("ann", 6, "e2");
  EXPECT_EQ(run.broken(), "g");
}

TEST(PlantedBug, ATaleOfAnEpochChangeThatWasNone) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 3, "e1");
  run.delivered("ann", 1);
  run.gap("ann", 2, 3, "epoch_changed");
  EXPECT_EQ(run.broken(), "g");
}

History with_observer() {
  History run;
  run.subscribed("ann", 0);
  run.of_member(Kind::kEntered, "bob");
  run.of_member(Kind::kJoin, "bob", "ann");
  return run;
}

TEST(PlantedBug, AJoinThatIsToldTwice) {
  History run = with_observer();
  run.of_member(Kind::kJoin, "bob", "ann");
  EXPECT_EQ(run.broken(), "h");
}

TEST(PlantedBug, ALeaveOfAMemberWhoStays) {
  History run = with_observer();
  run.of_member(Kind::kLeave, "bob", "ann");
  EXPECT_EQ(run.broken(), "h");
}

TEST(PlantedBug, ALeaveThatNobodyIsTold) {
  History run = with_observer();
  run.of_member(Kind::kLeft, "bob");
  run.presence({});
  EXPECT_EQ(run.broken(), "h");
}

TEST(PlantedBug, AGhostInThePresence) {
  History run;
  run.of_member(Kind::kEntered, "bob");
  run.of_member(Kind::kLeft, "bob");
  run.presence({"bob"});
  EXPECT_EQ(run.broken(), "h");
}

TEST(PlantedBug, APresenceThatForgotAMember) {
  History run = with_observer();
  run.presence({});
  EXPECT_EQ(run.broken(), "h");
}

TEST(PlantedBug, AReaderThatIsLeftBehindInTheEnd) {
  const History run = tampered([](History& to) { to.drop(History::delivery("cid", 12)); });
  EXPECT_EQ(run.broken(), "i");
}

TEST(PlantedBug, AReaderThatNeverComesBack) {
  const History run = tampered([](History& to) {
    to.events.pop_back();
    to.disconnected("cid");
    to.quiet();
  });
  EXPECT_EQ(run.broken(), "i");
}

TEST(PlantedBug, AReaderThatStaysInADeadEpoch) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1);
  run.delivered("ann", 1);
  run.restarted();
  run.publish(1, "e2");
  run.quiet();
  EXPECT_EQ(run.broken(), "i");
}

TEST(PlantedBug, ACatchUpThatTakesTooLong) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1);
  run.add({.kind = Kind::kHealed});
  run.now += 11'000'000;
  run.delivered("ann", 1);
  EXPECT_EQ(run.broken(), "i");
}

TEST(PlantedBug, OnePublicationThatStandsTwice) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1);
  run.delivered("ann", 1);
  run.delivered("ann", 2).value = "v1";
  EXPECT_EQ(run.broken(), "j");
}

TEST(PlantedBug, AKeyThatDoesNotPreventTheSecond) {
  History run;
  for (const uint64_t offset : {1, 2}) {
    run.sent("v1").key = "k";
    run.acked("v1", offset);
  }
  EXPECT_EQ(run.broken(), "j");
}

TEST(PlantedBug, AKeyThatIsTakenForOtherBytes) {
  History run;
  for (const uint64_t offset : {1, 2}) {
    run.sent(History::value_of(offset)).key = "k";
    run.acked(History::value_of(offset), offset);
  }
  EXPECT_EQ(run.broken(), "j");
}

TEST(PlantedBug, ThatHappensAllTheTimeIsToldInFewLines) {
  History run;
  run.subscribed("ann", 0);
  for (uint64_t offset = 1; offset <= 100; ++offset) run.delivered("ann", offset);
  const std::vector<Violation> violations = run.check();
  EXPECT_EQ(violations.size(), 21u);
  EXPECT_EQ(violations.back().count, 80u);
}

}  // namespace
}  // namespace parley::history
