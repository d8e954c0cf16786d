#include "transport/websocket/meters.h"

namespace parley::transport::websocket::meters {

metrics::Gauge connections("parley_websocket_connections", "Open WebSocket connections");
metrics::Counter messages_received("parley_websocket_messages_received_total",
                                   "Whole messages from WebSocket clients");
metrics::Counter refused("parley_websocket_handshakes_refused_total",
                         "WebSocket handshakes that were refused");
metrics::Counter protocol_errors("parley_websocket_protocol_errors_total",
                                 "WebSocket connections closed because the client broke RFC 6455");

}  // namespace parley::transport::websocket::meters
