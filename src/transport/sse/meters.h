// The numbers of the SSE transport; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::transport::sse::meters {

extern metrics::Gauge connections;
extern metrics::Counter refused;

}  // namespace parley::transport::sse::meters
