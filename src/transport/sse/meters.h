// The numbers of the SSE transport; see base/metrics.h.
#pragma once

#include "base/metrics.h"
#include "session/end_reason.h"

namespace parley::transport::sse::meters {

extern metrics::Gauge connections;
extern metrics::Counter talkers_closed;

void count_foreign_origin();
// A 403 has no reason of its own: that is kUnauthorized as well.
void count_refusal(session::EndReason reason, int status);

}  // namespace parley::transport::sse::meters
