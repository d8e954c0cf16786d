// The numbers of the WebSocket transport; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::transport::websocket::meters {

extern metrics::Gauge connections;
extern metrics::Counter messages_received;
extern metrics::Counter refused;
extern metrics::Counter protocol_errors;

}  // namespace parley::transport::websocket::meters
