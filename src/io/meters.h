// The numbers that io counts about itself; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::io::meters {

// An accept failed for the sake of one connection, or because descriptors or memory ran out; or the
// connection was refused because clients have all the descriptors that they may have.
enum class AcceptError : uint8_t { kConnection, kResources, kFull };
// A close in order was cut short: the peer did not read the rest, did not end its side, or kept
// sending.
enum class FarewellCut : uint8_t { kUnread, kUnanswered, kFlooded };
// A turn that everybody on the shard notices: one in a thousand may take 10 ms, none 50 ms.
enum class LongTurn : uint8_t { k10Ms, k50Ms };

extern metrics::Counter accepted;
extern metrics::CounterFamily accept_errors;
extern metrics::Counter accept_waits;
extern metrics::CounterFamily farewells_cut;
extern metrics::Gauge open_sockets;
extern metrics::Counter bytes_received;
extern metrics::Counter bytes_sent;
extern metrics::Counter turns;
extern metrics::Counter stalls;
extern metrics::CounterFamily long_turns;
extern metrics::Counter wakes;
extern metrics::Counter post_full;
extern metrics::Counter mail_full;
extern metrics::Counter worker_full;

}  // namespace parley::io::meters
