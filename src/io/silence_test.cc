#include "io/silence.h"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace parley::io {
namespace {

// As the kernel counts when something has been on its way for so long, at first sent again after
// `first`, and nothing has come since so long before. No wait is longer than `most`.
tcp_info line(Duration on_its_way, Duration first, Duration quiet_before,
              Duration most = seconds(120)) {
  tcp_info info{};
  info.tcpi_unacked = 1;
  Duration wait = first, sent{};
  for (Duration at = first; at <= on_its_way; at += wait) {
    ++info.tcpi_retransmits;
    wait = std::min(wait * 2, most);
    sent = at;
  }
  info.tcpi_last_data_sent = static_cast<uint32_t>((on_its_way - sent) / milliseconds(1));
  info.tcpi_rto = static_cast<uint32_t>(wait / std::chrono::microseconds(1));
  info.tcpi_last_ack_recv = static_cast<uint32_t>((on_its_way + quiet_before) / milliseconds(1));
  return info;
}

TEST(Silence, WhatIsSentAgainSaysForHowLong) {
  const auto sent_again_for = [](const tcp_info& info) {
    return io::sent_again_for(info, kLargestTimeout);
  };
  EXPECT_EQ(sent_again_for(line(milliseconds(199), milliseconds(200), {})), Duration(0));
  EXPECT_EQ(sent_again_for(line(milliseconds(200), milliseconds(200), {})), milliseconds(200));
  EXPECT_EQ(sent_again_for(line(milliseconds(1399), milliseconds(200), {})), milliseconds(600));
  EXPECT_EQ(sent_again_for(line(seconds(7), seconds(1), {})), seconds(7));
  tcp_info most{};
  most.tcpi_retransmits = 255;
  most.tcpi_rto = 120'000'000;
  EXPECT_GE(sent_again_for(most), seconds(120));
}

// Never too much either, whatever the largest wait is.
TEST(Silence, WaitsThatStopGrowingAreCounted) {
  for (const int64_t most : {1'000, 1'500, 2'000, 3'000, 8'000, 120'000})
    for (const int64_t first : {200, 230, 400, 700, 1'000})
      for (int64_t on_its_way = 100; on_its_way <= 30'000; on_its_way += 100) {
        const tcp_info info =
            line(milliseconds(on_its_way), milliseconds(first), {}, milliseconds(most));
        const Duration truly = milliseconds(on_its_way - info.tcpi_last_data_sent);
        EXPECT_LE(sent_again_for(info, milliseconds(most)), truly)
            << most << " " << first << " " << on_its_way;
        if (on_its_way < 4'000) continue;
        EXPECT_GE(sent_again_for(info, milliseconds(most)), truly / 4)
            << most << " " << first << " " << on_its_way;
      }
}

// net.ipv4.tcp_rto_max_ms = 1000: the waits never are a quarter of the time.
TEST(Silence, AKernelThatWaitsForASecondAtMostIsBelievedToo) {
  const Duration most = seconds(1), quiet = seconds(3600);
  for (const int64_t first : {200, 300, 700, 1'000}) {
    EXPECT_TRUE(is_unheard(line(seconds(4), milliseconds(first), quiet, most), seconds(8), most))
        << first;
    EXPECT_FALSE(
        is_unheard(line(milliseconds(1'900), milliseconds(first), quiet, most), seconds(8), most))
        << first;
  }
  EXPECT_TRUE(is_unheard(line(seconds(8), milliseconds(200), {}, most), seconds(8), most));
  EXPECT_TRUE(is_unheard(line(seconds(60), milliseconds(200), {}, most), seconds(60), most));
}

// `ip route ... rto_min 40ms`: the waits grow as ever, from less. A peer was unheard after 1.24 s.
TEST(Silence, ARouteWithALowLeastTimeoutIsNotBelievedSooner) {
  const Duration quiet = seconds(3600);
  for (const int64_t first : {5, 20, 40, 100})
    for (int64_t on_its_way = first; on_its_way < 2'000; on_its_way += 5)
      EXPECT_FALSE(
          is_unheard(line(milliseconds(on_its_way), milliseconds(first), quiet), seconds(8)))
          << first << " " << on_its_way;
  for (const int64_t first : {5, 20, 40, 100}) {
    EXPECT_FALSE(is_unheard(line(seconds(14), milliseconds(first), quiet), seconds(60))) << first;
    EXPECT_TRUE(is_unheard(line(seconds(8), milliseconds(first), quiet), seconds(8))) << first;
  }
}

// Where the first retransmission takes as long as a quarter of the time.
TEST(Silence, OneLostSegmentOnASlowPathIsNoSilence) {
  const Duration quiet = seconds(3600);
  for (const int64_t first : {2'000, 2'500, 3'000, 4'000, 6'000})
    for (const int64_t since : {0, 500, 900})
      EXPECT_FALSE(
          is_unheard(line(milliseconds(first + since), milliseconds(first), quiet), seconds(8)))
          << first << " " << since;
  EXPECT_TRUE(is_unheard(line(seconds(6), seconds(2), quiet), seconds(8))) << "sent again twice";
  EXPECT_TRUE(is_unheard(line(seconds(8), seconds(7), quiet), seconds(8))) << "for all of the time";
  EXPECT_FALSE(is_unheard(line(seconds(9), seconds(10), quiet), seconds(8)))
      << "not sent again yet";
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
