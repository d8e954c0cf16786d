// The numbers that http counts about itself; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::http::meters {

void count_response(int status);

extern metrics::Gauge open_connections;
extern metrics::Counter taken_over;
extern metrics::Counter parse_errors;
extern metrics::Counter request_timeouts;
extern metrics::Counter write_timeouts;

}  // namespace parley::http::meters
