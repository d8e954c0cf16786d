#include "transport/websocket/meters.h"

namespace parley::transport::websocket::meters {
namespace {

using codec::websocket::CloseCode;

enum class Refusal : uint8_t { kOrigin, kVersion, kMalformed };
constexpr std::string_view kRefusals[] = {"origin", "version", "malformed"};
metrics::CounterFamily refused("parley_websocket_handshakes_refused_total",
                               "WebSocket handshakes that were refused", "reason", kRefusals);

enum class Fault : uint8_t { kProtocol, kText, kSize };
constexpr std::string_view kFaults[] = {"protocol_error", "invalid_text", "message_too_big"};
metrics::CounterFamily errors("parley_websocket_errors_total",
                              "WebSocket connections closed because the client broke RFC 6455",
                              "reason", kFaults);

}  // namespace

void count_refusal(int status) {
  refused.add(status == 403   ? Refusal::kOrigin
              : status == 426 ? Refusal::kVersion
                              : Refusal::kMalformed);
}

void count_error(CloseCode code) {
  errors.add(code == CloseCode::kMessageTooBig    ? Fault::kSize
             : code == CloseCode::kInvalidPayload ? Fault::kText
                                                  : Fault::kProtocol);
}

metrics::Gauge connections("parley_websocket_connections", "Open WebSocket connections");
metrics::Counter messages_received("parley_websocket_messages_received_total",
                                   "Whole messages from WebSocket clients");

}  // namespace parley::transport::websocket::meters
