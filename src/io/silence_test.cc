#include "io/silence.h"

#include <chrono>

#include <gtest/gtest.h>

namespace parley::io {
namespace {

// As the kernel counts when something has been on its way for so long, at first sent again after
// `first`, and nothing has come since so long before.
tcp_info line(Duration on_its_way, Duration first, Duration quiet_before) {
  tcp_info info{};
  info.tcpi_unacked = 1;
  Duration wait = first;
  for (Duration at = first; at <= on_its_way; at += wait) {
    ++info.tcpi_retransmits;
    wait *= 2;
  }
  info.tcpi_rto = static_cast<uint32_t>(wait / std::chrono::microseconds(1));
  info.tcpi_last_ack_recv = static_cast<uint32_t>((on_its_way + quiet_before) / milliseconds(1));
  return info;
}

TEST(Silence, WhatIsSentAgainSaysForHowLong) {
  EXPECT_EQ(sent_again_for(line(milliseconds(199), milliseconds(200), {})), Duration(0));
  EXPECT_EQ(sent_again_for(line(milliseconds(200), milliseconds(200), {})), milliseconds(200));
  EXPECT_EQ(sent_again_for(line(milliseconds(1399), milliseconds(200), {})), milliseconds(600));
  EXPECT_EQ(sent_again_for(line(seconds(7), seconds(1), {})), seconds(7));
  tcp_info most{};
  most.tcpi_retransmits = 255;
  most.tcpi_rto = 120'000'000;
  EXPECT_EQ(sent_again_for(most), seconds(120));
}

// However slow the line is.
TEST(Silence, WhoHasNotConfirmedForTheTimeIsUnheard) {
  for (const int64_t first : {200, 300, 450, 700, 1'000, 1'500, 1'900, 2'000, 3'000, 5'000, 8'000})
    for (const int64_t on_its_way : {8'000, 10'000, 15'000, 22'000, 30'000})
      EXPECT_TRUE(is_unheard(line(milliseconds(on_its_way), milliseconds(first), {}), seconds(8)))
          << first << " " << on_its_way;
  EXPECT_FALSE(is_unheard(line(milliseconds(7'999), milliseconds(200), {}), seconds(8)));
}

TEST(Silence, AQuietPeerForWhichOneSegmentWasLostIsNot) {
  const Duration quiet = seconds(3600);
  for (const int64_t on_its_way : {100, 200, 600, 1'400, 1'999})
    for (const int64_t first : {200, 1'000})
      EXPECT_FALSE(
          is_unheard(line(milliseconds(on_its_way), milliseconds(first), quiet), seconds(8)))
          << first << " " << on_its_way;
  EXPECT_TRUE(is_unheard(line(seconds(3), milliseconds(200), quiet), seconds(8)));
  EXPECT_TRUE(is_unheard(line(seconds(3), seconds(1), quiet), seconds(8)));
}

TEST(Silence, WhoHasConfirmedAllIsHeard) {
  tcp_info info = line(seconds(30), milliseconds(200), {});
  info.tcpi_unacked = 0;
  EXPECT_FALSE(is_unheard(info, seconds(8)));
}

}  // namespace
}  // namespace parley::io
