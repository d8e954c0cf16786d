// The numbers of the WebSocket transport; see base/metrics.h.
#pragma once

#include "base/metrics.h"
#include "codec/websocket/protocol.h"

namespace parley::transport::websocket::meters {

extern metrics::Gauge connections;
extern metrics::Counter messages_received;

// By the status of the answer: 403, 426 or 400.
void count_refusal(int status);
// By the code of the close frame: 1007, 1009 or 1002.
void count_error(codec::websocket::CloseCode code);

}  // namespace parley::transport::websocket::meters
