// Whether a peer's kernel can still be reached, by what our own knows of the connection.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <netinet/tcp.h>

#include "base/time.h"

namespace parley::io {

// The largest retransmission timeout of Linux, where none lower was set.
constexpr Duration kLargestTimeout = seconds(120);

// For how long, at least, the oldest bytes on their way have been sent again in vain: the time
// before each retransmission is twice the one before, and tcpi_rto is the next one (RFC 6298, 5.5).
// But it grows to `largest` only, which can be set, to 1 s at the lowest: where it has come there,
// they are no shorter than those that begin with the kernel's least, 200 ms.
inline Duration sent_again_for(const tcp_info& info, Duration largest) {
  constexpr uint32_t kLeast = 200'000;
  const uint32_t next = info.tcpi_rto;
  const uint32_t times = std::min<uint32_t>(info.tcpi_retransmits, 31);
  Duration doubled = std::chrono::microseconds(next - (next >> times));
  // Both are told in the kernel's ticks.
  if (std::chrono::microseconds(next) < largest - milliseconds(2)) return doubled;
  uint64_t bounded = 0;
  for (uint32_t i = 0; i < times; ++i)
    bounded +=
        std::max<uint64_t>(next >> (times - i), std::min<uint64_t>(next, uint64_t{kLeast} << i));
  return std::max<Duration>(doubled, std::chrono::microseconds(bounded));
}

// Something has been on its way for long, and for `time` nothing at all has come. The last
// confirmation of a quiet stream is as old as what was last sent before: that it was long ago says
// nothing of a peer that was written to just now, nor of one for which a segment was lost just now.
// To have been sent again for a quarter of the time is enough to tell, if that was more than once:
// where a round trip takes seconds, so does the first retransmission, and a single segment that was
// lost is no sign. Whatever has been on its way for all of the time is one; the last eighth of it
// is for clocks that tick coarsely.
inline bool is_unheard(const tcp_info& info, Duration time, Duration largest = kLargestTimeout) {
  constexpr int kPart = 4, kRest = 8;
  if (info.tcpi_unacked == 0 || info.tcpi_retransmits == 0 ||
      milliseconds(info.tcpi_last_ack_recv) < time)
    return false;
  const Duration sent_again = sent_again_for(info, largest);
  if (info.tcpi_retransmits > 1 && sent_again >= time / kPart) return true;
  // A retransmission is data that was sent, too.
  return sent_again + milliseconds(info.tcpi_last_data_sent) >= time - time / kRest;
}

}  // namespace parley::io
