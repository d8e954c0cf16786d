#include "hub/tail.h"

#include <gtest/gtest.h>

#include "tests/support/hub_fakes.h"

namespace parley::hub {
namespace {

using testing::make_publication;
using testing::make_run;
using testing::offsets_of;
using Offsets = std::vector<uint64_t>;
constexpr size_t kBytes = 1 << 20;

TEST(Tail, ServesWhatLiesBehindAPosition) {
  Tail tail;
  tail.reset(10);
  EXPECT_TRUE(tail.covers(10));
  EXPECT_FALSE(tail.covers(9));
  EXPECT_FALSE(tail.covers(11));
  EXPECT_TRUE(tail.after(10).empty());
  for (auto& publication : make_run(11, 13)) EXPECT_TRUE(tail.append(publication, kBytes));
  EXPECT_EQ(offsets_of(tail.after(10)), (Offsets{11, 12, 13}));
  EXPECT_EQ(offsets_of(tail.after(12)), (Offsets{13}));
  EXPECT_TRUE(tail.after(13).empty());
}

TEST(Tail, SparseOffsets) {
  Tail tail;
  tail.append(make_publication(3, 0), kBytes);
  tail.append(make_publication(7, 3), kBytes);
  tail.append(make_publication(8, 7), kBytes);
  for (const auto& [position, expected] : {std::pair{0, Offsets{3, 7, 8}},
                                           {1, {3, 7, 8}},
                                           {3, {7, 8}},
                                           {5, {7, 8}},
                                           {7, {8}},
                                           {8, {}}})
    EXPECT_EQ(offsets_of(tail.after(static_cast<uint64_t>(position))), expected) << position;
}

TEST(Tail, WhatIsNotNewChangesNothing) {
  Tail tail;
  tail.reset(5);
  EXPECT_FALSE(tail.append(make_publication(5), kBytes));
  EXPECT_FALSE(tail.append(make_publication(1), kBytes));
  EXPECT_TRUE(tail.empty());
  // It may begin before the top: deliverable iff prev <= position < offset.
  EXPECT_TRUE(tail.append(make_publication(6, 2), kBytes));
  EXPECT_EQ(tail.base(), 5u);
}

TEST(Tail, AHoleStartsItAnew) {
  Tail tail;
  tail.append(make_publication(1), kBytes);
  tail.append(make_publication(4), kBytes);
  EXPECT_EQ(tail.base(), 3u);
  EXPECT_EQ(tail.top(), 4u);
  EXPECT_EQ(offsets_of(tail.after(3)), (Offsets{4}));
}

TEST(Tail, StaysWithinItsBytes) {
  const size_t cost = make_publication(100)->cost();
  Tail tail;
  tail.reset(99);
  for (uint64_t offset = 100; offset < 600; ++offset) {
    tail.append(make_publication(offset), 10 * cost + 5);
    EXPECT_LE(tail.bytes(), 10 * cost + 5);
    EXPECT_EQ(tail.after(tail.base()).size(), std::min<uint64_t>(offset - 99, 10));
    EXPECT_EQ(tail.after(tail.base()).front()->prev, tail.base());
  }
}

TEST(Tail, KeepsTheNewestHoweverLarge) {
  Tail tail;
  tail.append(make_publication(1), 1);
  tail.append(make_publication(2), 1);
  EXPECT_EQ(offsets_of(tail.after(1)), (Offsets{2}));
}

TEST(Tail, TrimKeepsTheTop) {
  Tail tail;
  for (auto& publication : make_run(1, 3)) tail.append(publication, kBytes);
  tail.trim();
  EXPECT_TRUE(tail.empty());
  EXPECT_EQ(tail.bytes(), 0u);
  EXPECT_TRUE(tail.covers(3));
  EXPECT_FALSE(tail.covers(2));
}

TEST(AfterPosition, OutsideTheRun) {
  const auto run = make_run(5, 7);
  EXPECT_EQ(after_position(run, 0).size(), 3u);
  EXPECT_EQ(after_position(run, 7).size(), 0u);
  EXPECT_EQ(after_position(run, 9).size(), 0u);
  EXPECT_EQ(after_position({}, 9).size(), 0u);
}

TEST(Tail, FindsWhatItKeeps) {
  Tail tail;
  EXPECT_EQ(tail.find(0), nullptr);
  for (const auto& [offset, prev] : {std::pair{3, 0}, {7, 3}, {8, 7}})
    tail.append(make_publication(static_cast<uint64_t>(offset), static_cast<uint64_t>(prev)),
                kBytes);
  for (const uint64_t kept : {3, 7, 8}) EXPECT_EQ(tail.find(kept)->offset, kept);
  for (const uint64_t missing : {0, 2, 5, 9}) EXPECT_EQ(tail.find(missing), nullptr) << missing;
}

TEST(Tail, GivesItsOlderHalf) {
  Tail tail;
  tail.trim_older_half();
  EXPECT_EQ(tail.top(), 0u);
  for (auto& publication : make_run(101, 108)) tail.append(publication, kBytes);
  tail.trim_older_half();
  EXPECT_EQ(tail.base(), 104u);
  EXPECT_EQ(offsets_of(tail.after(104)), (Offsets{105, 106, 107, 108}));
  for (int i = 0; i < 2; ++i) tail.trim_older_half();
  EXPECT_EQ(offsets_of(tail.after(107)), (Offsets{108}));
  EXPECT_FALSE(tail.has_several());
  tail.trim_older_half();
  EXPECT_TRUE(tail.empty());
  EXPECT_EQ(tail.top(), 108u);
}

TEST(Tail, GivesNoMoreThanIsAskedFor) {
  Tail tail;
  tail.trim_to(3);
  EXPECT_TRUE(tail.empty());
  for (auto& publication : make_run(101, 108)) tail.append(publication, kBytes);
  tail.trim_older_half(102);
  EXPECT_EQ(tail.base(), 102u);
  tail.trim_older_half(102);
  tail.trim_to(50);
  EXPECT_EQ(tail.base(), 102u);
  tail.trim_to(105);
  EXPECT_EQ(offsets_of(tail.after(105)), (Offsets{106, 107, 108}));
  tail.trim_to(107);
  tail.trim_older_half(107);
  EXPECT_EQ(offsets_of(tail.after(107)), (Offsets{108}));
  tail.trim_to(108);
  EXPECT_TRUE(tail.empty());
  EXPECT_EQ(tail.top(), 108u);
}

TEST(Tail, KeepsOnlyTheNewest) {
  Tail tail;
  tail.trim_to_newest();
  EXPECT_EQ(tail.top(), 0u);
  for (auto& publication : make_run(1, 5)) tail.append(publication, kBytes);
  tail.trim_to_newest();
  EXPECT_EQ(tail.base(), 4u);
  EXPECT_EQ(offsets_of(tail.after(4)), (Offsets{5}));
  EXPECT_EQ(tail.bytes(), tail.find(5)->cost());
}

TEST(Tail, TakesInOnlyThePublicationAtItsTop) {
  Tail tail;
  tail.reset(5);
  tail.adopt_newest(make_publication(4));
  EXPECT_TRUE(tail.empty());
  tail.adopt_newest(make_publication(5));
  EXPECT_EQ(tail.base(), 4u);
  EXPECT_EQ(tail.top(), 5u);
  tail.append(make_publication(6), kBytes);
  tail.adopt_newest(make_publication(6));
  EXPECT_EQ(offsets_of(tail.after(4)), (Offsets{5, 6}));
}

}  // namespace
}  // namespace parley::hub
