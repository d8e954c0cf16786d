#include "server/memory_ladder.h"

#include <gtest/gtest.h>

namespace parley::server {
namespace {

TEST(MemoryLadderTest, StepsBeginWhereTheyShould) {
  MemoryLadder ladder(1000);
  EXPECT_EQ(ladder.update(799), MemoryStep::kNone);
  EXPECT_EQ(ladder.update(800), MemoryStep::kSave);
  EXPECT_EQ(ladder.update(899), MemoryStep::kSave);
  EXPECT_EQ(ladder.update(900), MemoryStep::kRefuse);
  EXPECT_EQ(ladder.update(950), MemoryStep::kEnd);
  EXPECT_EQ(ladder.update(5000), MemoryStep::kEnd);
}

TEST(MemoryLadderTest, AndAreLeftALittleLower) {
  MemoryLadder ladder(1000);
  EXPECT_EQ(ladder.update(960), MemoryStep::kEnd);
  EXPECT_EQ(ladder.update(900), MemoryStep::kEnd);
  EXPECT_EQ(ladder.update(899), MemoryStep::kRefuse);
  EXPECT_EQ(ladder.update(850), MemoryStep::kRefuse);
  EXPECT_EQ(ladder.update(849), MemoryStep::kSave);
  EXPECT_EQ(ladder.update(750), MemoryStep::kSave);
  EXPECT_EQ(ladder.update(749), MemoryStep::kNone);
}

TEST(MemoryLadderTest, ItDoesNotFlicker) {
  MemoryLadder ladder(1000);
  int changes = 0;
  MemoryStep last = MemoryStep::kNone;
  for (int i = 0; i < 100; ++i) {
    const MemoryStep step = ladder.update(i % 2 == 0 ? 905 : 895);
    changes += step != last ? 1 : 0;
    last = step;
  }
  EXPECT_EQ(changes, 1);
}

TEST(MemoryLadderTest, WithoutALimitThereIsNone) {
  MemoryLadder ladder(0);
  EXPECT_EQ(ladder.update(SIZE_MAX), MemoryStep::kNone);
}

TEST(MemoryLadderTest, WhatCannotBeMeasuredChangesNothing) {
  MemoryLadder ladder(1000);
  ladder.update(920);
  EXPECT_EQ(ladder.update(0), MemoryStep::kRefuse);
}

TEST(MemoryLadderTest, TheSystemSaysWhatIsInUse) { EXPECT_GT(resident_bytes(), size_t{1} << 20); }

}  // namespace
}  // namespace parley::server
