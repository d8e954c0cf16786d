// The numbers that io counts about itself; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::io::meters {

extern metrics::Counter accepted;
extern metrics::Counter accept_errors;
extern metrics::Gauge open_sockets;
extern metrics::Counter bytes_received;
extern metrics::Counter bytes_sent;
extern metrics::Counter turns;
extern metrics::Counter stalls;
extern metrics::Counter wakes;
extern metrics::Counter post_full;
extern metrics::Counter mail_full;
extern metrics::Counter worker_full;

}  // namespace parley::io::meters
