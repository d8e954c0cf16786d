// The numbers of streams over HTTP and of requests to their sessions; see base/metrics.h.
#pragma once

#include "base/metrics.h"
#include "session/end_reason.h"

namespace parley::transport::push::meters {

extern metrics::Gauge connections;
extern metrics::Counter talkers_closed;
extern metrics::Counter overrun_uplinks;

void count_foreign_origin();
// A 403 has no reason of its own: that is kUnauthorized as well.
void count_refusal(session::EndReason reason, int status);

enum class BadUplink : uint8_t { kOrigin, kMalformed };
extern metrics::CounterFamily uplinks_refused;

}  // namespace parley::transport::push::meters
