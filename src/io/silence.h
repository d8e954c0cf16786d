// Whether a peer's kernel can still be reached, by what our own knows of the connection.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <netinet/tcp.h>

#include "base/time.h"

namespace parley::io {

// For how long, at least, the oldest bytes on their way have been sent again in vain: the time
// before each retransmission is twice the one before, and tcpi_rto is the next one (RFC 6298, 5.5).
inline Duration sent_again_for(const tcp_info& info) {
  const uint32_t times = std::min<uint32_t>(info.tcpi_retransmits, 31);
  return std::chrono::microseconds(info.tcpi_rto - (info.tcpi_rto >> times));
}

// Something has been on its way for long, and for `time` nothing at all has come. The last
// confirmation of a quiet stream is as old as what was last sent before: that it was long ago says
// nothing of a peer that was written to just now, nor of one for which a segment was lost just now.
// A quarter of the time is enough to tell, and never too much where the bytes have been on their
// way for all of it: either the first retransmission came that late, or the last is in the second
// half.
inline bool is_unheard(const tcp_info& info, Duration time) {
  constexpr int kPart = 4;
  return info.tcpi_unacked > 0 && info.tcpi_retransmits > 0 &&
         milliseconds(info.tcpi_last_ack_recv) >= time && sent_again_for(info) >= time / kPart;
}

}  // namespace parley::io
