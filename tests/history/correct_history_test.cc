// What is correct raises no alarm.
#include <gmock/gmock.h>

#include "tests/history/history_testing.h"

namespace parley::history {
namespace {

TEST(CorrectHistory, OfAReconnectThatRecovers) { EXPECT_EQ(correct_run().broken(), ""); }

TEST(CorrectHistory, OfNothing) { EXPECT_EQ(History{}.broken(), ""); }

TEST(CorrectHistory, OfAReaderThatIsToldThatItWasNotRecovered) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 3, "e1");
  run.delivered("ann", 1, 1);
  run.disconnected("ann");
  run.publish(4, 20, "e1");
  run.subscribed("ann", 20).window = 10;
  run.publish(21);
  run.delivered("ann", 21);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAGapThatNamesWhatIsLost) {
  History run;
  run.subscribed("ann", 0).window = 5;
  run.publish(1, 2, "e1");
  run.delivered("ann", 1, 2);
  run.disconnected("ann");
  run.publish(3, 10, "e1");
  run.recovered("ann", 10);
  run.gap("ann", 3, 5, "retention");
  run.delivered("ann", 6, 10);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAFilterThatHides) {
  History run;
  run.subscribed("ann", 0).tag = "red";
  for (uint64_t offset = 1; offset <= 6; ++offset) {
    run.sent(History::value_of(offset)).tag = offset % 2 == 0 ? "red" : "blue";
    run.acked(History::value_of(offset), offset);
    if (offset % 2 == 0) run.delivered("ann", offset);
  }
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAnUnknownOutcomeThatHappened) {
  History run;
  run.subscribed("ann", 0);
  run.sent("v1");
  run.add({.kind = Kind::kUnknown, .client = "writer", .value = "v1"});
  run.delivered("ann", 1);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAnUnknownOutcomeThatDidNot) {
  History run;
  run.subscribed("ann", 0);
  run.sent("lost");
  run.add({.kind = Kind::kUnknown, .client = "writer", .value = "lost"});
  run.publish(1);
  run.delivered("ann", 1);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfARefusalThatSucceedsAtTheSecondTry) {
  History run;
  run.subscribed("ann", 0);
  run.sent("v1");
  run.add({.kind = Kind::kRefused, .client = "writer", .value = "v1"});
  run.publish(1);
  run.delivered("ann", 1);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfARepetitionWithAKey) {
  History run;
  run.subscribed("ann", 0);
  run.sent("v1").key = "k";
  run.add({.kind = Kind::kUnknown, .client = "writer", .value = "v1"});
  run.publish(2);
  run.sent("v1").key = "k";
  run.acked("v1", 1);
  run.delivered("ann", 1, 2);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfARestartThatIsTold) {
  History run;
  run.subscribed("ann", 0);
  run.add({.kind = Kind::kSubscribed, .client = "eve", .asked = 0});
  run.publish(1, 3, "e1");
  run.delivered("ann", 1, 3);
  run.delivered("eve", 1).epoch = "e1";
  run.restarted();
  run.disconnected("ann");
  run.disconnected("eve");
  run.publish(1, 2, "e2");
  run.subscribed("ann", 2, "e2");
  run.add({.kind = Kind::kSubscribed, .client = "eve", .recovered = true});
  run.gap("eve", 1, 2, "epoch_changed").epoch = "e2";
  run.publish(3, "e2");
  run.delivered("ann", 3).value = "e2v3";
  run.delivered("eve", 3).value = "e2v3";
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAPublicationWithoutAPlaceThatAGapCovers) {
  History run;
  run.add({.kind = Kind::kSubscribed, .client = "eve", .asked = 0});
  run.restarted();
  run.sent("v1");
  run.add({.kind = Kind::kAcked, .client = "writer", .value = "v1"});
  run.disconnected("eve");
  run.add({.kind = Kind::kSubscribed, .client = "eve", .recovered = true});
  run.gap("eve", 1, 1, "epoch_changed").epoch = "e2";
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfARollbackThatIsTold) {
  History run;
  run.subscribed("ann", 0);
  run.subscribed("bob", 0);
  run.publish(1, 5, "e1");
  run.delivered("ann", 1, 5);
  run.delivered("bob", 1, 2);
  run.add({.kind = Kind::kEpochBegan, .epoch = "e2", .offset = 3, .after = "e1"});
  run.gap("ann", 4, 5, "rolled_back").epoch = "e2";
  run.recovered("bob", 3, "e2");
  run.delivered("bob", 3).epoch = "e1";
  run.publish(4, 5, "e2");
  for (const char* client : {"ann", "bob"})
    for (const uint64_t offset : {4, 5}) {
      Event& event = run.delivered(client, offset);
      event.value = "e2" + event.value;
      event.epoch = "e2";
    }
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

// ... and the first of all to hear of it is told by a part of the server that has not heard of the
// next one.
TEST(CorrectHistory, OfALifeThatIsFirstHeardOfWhenItIsOver) {
  History run;
  run.sent("e1v1");
  run.restarted();
  run.subscribed("ann", 0, "e2");
  run.publish(1, "e2");
  run.delivered("ann", 1).value = "e2v1";
  run.subscribed("bob", 0, "e1");
  run.delivered("bob", 1).value = "e1v1";
  run.gap("bob", 0, 1, "epoch_changed").epoch = "e2";
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAnEpochThatSomebodyHearsOfWhenItIsOver) {
  History run;
  run.subscribed("ann", 0);
  run.publish(1, 2, "e1");
  run.delivered("ann", 1, 2);
  run.restarted();
  run.add({.kind = Kind::kEpochBegan, .epoch = "e2", .offset = 2, .after = "e1"});
  run.sent("e2v3");
  run.add({.kind = Kind::kEpochBegan, .epoch = "e3", .offset = 2, .after = "e2"});
  run.recovered("ann", 2, "e3");
  run.publish(3, "e3");
  run.delivered("ann", 3).value = "e3v3";
  // What was sent to this one before the rollback was long on its way.
  run.subscribed("bob", 2, "e2");
  run.delivered("bob", 3).value = "e2v3";
  run.disconnected("bob");
  run.recovered("bob", 3, "e2");
  run.gap("bob", 3, 3, "rolled_back").epoch = "e3";
  run.delivered("bob", 3).value = "e3v3";
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAReaderWithoutPositions) {
  History run;
  run.add({.kind = Kind::kSubscribed, .client = "ann", .positioned = false});
  run.publish(1, 3, "e1");
  run.delivered("ann", 1);
  run.delivered("ann", 3);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAReaderThatBeginsInTheMiddle) {
  History run;
  run.publish(1, 5, "e1");
  run.add({.kind = Kind::kSubscribed, .client = "eve"});
  run.publish(6, 7, "e1");
  run.delivered("eve", 6).epoch = "e1";
  run.delivered("eve", 7);
  run.add({.kind = Kind::kSubscribed, .client = "history", .epoch = "e1", .asked = 0}).recovered =
      true;
  run.delivered("history", 1, 7);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfARepetitionThatIsMarked) {
  History run = correct_run();
  run.events.pop_back();
  run.delivered("ann", 12).again = true;
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfPublicationsWithoutOffsets) {
  History run;
  run.subscribed("ann", 0);
  for (const char* value : {"x", "y"}) {
    run.sent(value);
    run.add({.kind = Kind::kAcked, .client = "writer", .value = value});
    run.add({.kind = Kind::kDelivered, .client = "ann", .value = value});
  }
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfPresence) {
  History run;
  run.subscribed("ann", 0);
  run.of_member(Kind::kEntered, "bob");
  run.of_member(Kind::kJoin, "bob", "ann");
  run.of_member(Kind::kLeft, "bob");
  run.of_member(Kind::kLeave, "bob", "ann");
  run.of_member(Kind::kEntered, "bob");
  run.of_member(Kind::kJoin, "bob", "ann");
  run.presence({"bob"});
  EXPECT_EQ(run.broken(), "");
}

TEST(CorrectHistory, OfAReaderThatLeftForGood) {
  History run = correct_run();
  run.events.pop_back();
  run.add({.kind = Kind::kEnded, .client = "bob"}).channel.clear();
  run.publish(13);
  run.delivered("ann", 13);
  run.delivered("cid", 13);
  run.quiet();
  EXPECT_EQ(run.broken(), "");
}

}  // namespace
}  // namespace parley::history
