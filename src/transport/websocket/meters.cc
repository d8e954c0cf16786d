#include "transport/websocket/meters.h"

namespace parley::transport::websocket::meters {
namespace {

using codec::websocket::CloseCode;

enum class Refusal : uint8_t { kOrigin, kVersion, kMalformed };
constexpr std::string_view kRefusals[] = {"origin", "version", "malformed"};
metrics::CounterFamily refused("parley_websocket_handshakes_refused_total",
                               "WebSocket handshakes that were refused", "reason", kRefusals);

enum class Fault : uint8_t {
  kProtocol,
  kText,
  kSize,
  kDeflate,
  kInflatedSize,
  kEmptyFragments,
  kFirstSize
};
constexpr std::string_view kFaults[] = {"protocol_error",
                                        "invalid_text",
                                        "message_too_big",
                                        "invalid_deflate",
                                        "inflated_too_big",
                                        "empty_fragments",
                                        "message_too_big_before_connect"};
metrics::CounterFamily errors("parley_websocket_errors_total",
                              "WebSocket connections closed because the client broke RFC 6455",
                              "reason", kFaults);

constexpr std::string_view kLeftPlain[] = {"not_smaller", "paused"};
metrics::CounterFamily left_plain("parley_websocket_left_plain_total",
                                  "Messages large enough to compress that were sent as they are",
                                  "reason", kLeftPlain);

}  // namespace

void count_refusal(int status) {
  refused.add(status == 403   ? Refusal::kOrigin
              : status == 426 ? Refusal::kVersion
                              : Refusal::kMalformed);
}

void count_too_big_at_first() { errors.add(Fault::kFirstSize); }

void count_error(const codec::websocket::DecodeFailure& failure) {
  const bool inflating = failure.inflating;
  switch (failure.code) {
    case CloseCode::kMessageTooBig:
      return errors.add(inflating ? Fault::kInflatedSize : Fault::kSize);
    case CloseCode::kInvalidPayload:
      return errors.add(inflating ? Fault::kDeflate : Fault::kText);
    case CloseCode::kPolicyViolation:
      return errors.add(Fault::kEmptyFragments);
    default:
      return errors.add(Fault::kProtocol);
  }
}

void count_left_plain(LeftPlain reason) { left_plain.add(reason); }

metrics::Gauge connections("parley_websocket_connections", "Open WebSocket connections");
metrics::Counter messages_received("parley_websocket_messages_received_total",
                                   "Whole messages from WebSocket clients");
metrics::Counter ping_floods("parley_websocket_ping_floods_total",
                             "Times pings came so fast that only the newest were answered");
metrics::Counter deflate_agreed("parley_websocket_deflate_agreed_total",
                                "WebSocket handshakes that agreed on compression");
metrics::Counter deflated_messages("parley_websocket_deflated_messages_total",
                                   "Messages compressed, once for all readers of one encoding");
metrics::Counter deflated_bytes_in("parley_websocket_deflated_bytes_in_total",
                                   "Bytes of those messages before");
metrics::Counter deflated_bytes_out("parley_websocket_deflated_bytes_out_total",
                                    "Bytes of those messages after");
metrics::Counter inflated_messages("parley_websocket_inflated_messages_total",
                                   "Compressed messages from WebSocket clients");
metrics::Counter inflated_bytes_in("parley_websocket_inflated_bytes_in_total",
                                   "Bytes of those messages as they came");
metrics::Counter inflated_bytes_out("parley_websocket_inflated_bytes_out_total",
                                    "Bytes of those messages inflated");

}  // namespace parley::transport::websocket::meters
