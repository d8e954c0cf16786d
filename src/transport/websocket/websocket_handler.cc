#include "transport/websocket/websocket_handler.h"

#include "base/check.h"
#include "codec/http1/response_encoder.h"
#include "codec/http1/syntax.h"
#include "http/exchange.h"
#include "transport/websocket/meters.h"
#include "transport/websocket/websocket_transport.h"

namespace parley::transport::websocket {
namespace {

using http::HeaderView;

// A header that came several times is one list (RFC 9110 5.3).
std::string joined(const http::Request& request, std::string_view name) {
  std::string all;
  for (const auto& header : request.headers) {
    if (!codec::http1::equals_ignoring_case(header.name, name)) continue;
    if (!all.empty()) all += ',';
    all += header.value;
  }
  return all;
}

Result<codec::websocket::HandshakeAccept, codec::websocket::HandshakeError> judge(
    const http::Request& request, const WebSocketOptions& options) {
  const std::string upgrade = joined(request, "Upgrade");
  const std::string connection = joined(request, "Connection");
  const std::string key = joined(request, "Sec-WebSocket-Key");
  const std::string version = joined(request, "Sec-WebSocket-Version");
  const std::string protocols = joined(request, "Sec-WebSocket-Protocol");
  const std::string extensions = joined(request, "Sec-WebSocket-Extensions");
  return codec::websocket::accept_handshake({.method = request.method,
                                             .http_minor = request.minor_version,
                                             .upgrade = upgrade,
                                             .connection = connection,
                                             .key = key,
                                             .version = version,
                                             .protocols = protocols,
                                             .extensions = extensions},
                                            options.subprotocols, options.compression != nullptr);
}

Buffer response_to(const codec::websocket::HandshakeAccept& accept) {
  std::vector<HeaderView> headers = {{"Upgrade", "websocket"},
                                     {"Connection", "Upgrade"},
                                     {"Sec-WebSocket-Accept", accept.accept_key}};
  if (!accept.subprotocol.empty())
    headers.push_back({"Sec-WebSocket-Protocol", accept.subprotocol});
  const std::string extensions = accept.deflate ? accept.deflate->answer() : "";
  if (!extensions.empty()) headers.push_back({"Sec-WebSocket-Extensions", extensions});
  Buffer out;
  CHECK(codec::http1::encode_response_head(101, headers, {}, out));
  return out;
}

}  // namespace

WebSocketHandler::WebSocketHandler(const session::AdapterFactory& adapters,
                                   session::SessionTable& sessions, WebSocketOptions options)
    : adapters_(adapters), sessions_(sessions), options_(std::move(options)) {
  if (options_.compression == nullptr) return;
  const size_t limit =
      options_.inflated_bytes > 0 ? options_.inflated_bytes : options_.message_bytes;
  inflation_.emplace(options_.compression->inflater(), limit);
}

void WebSocketHandler::handle(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (!options_.origins.allows(request.header("Origin"), request.header("Host"))) {
    meters::count_refusal(403);
    return exchange.respond_text(403, "this origin may not connect");
  }
  const auto accept = judge(request, options_);
  if (accept) return upgrade(exchange, *accept);
  const HeaderView wanted[] = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  const auto& [status, message] = accept.error();
  meters::count_refusal(status);
  exchange.respond_text(status, message, {wanted, status == 426 ? 2u : 0u});
}

void WebSocketHandler::upgrade(http::Exchange& exchange,
                               const codec::websocket::HandshakeAccept& accept) {
  const http::Request& request = exchange.request();
  const io::PeerAddress client = exchange.client();
  const std::string peer = client.host();
  session::Handshake handshake{
      .transport = options_.transport,
      .path = exchange.path_tail().empty() ? request.path : exchange.path_tail(),
      .query = request.query,
      .subprotocol = accept.subprotocol,
      .one_way = options_.one_way,
      .peer = peer,
      .peer_network = client.network_key()};
  for (const auto& header : request.headers)
    handshake.headers.emplace_back(header.name, header.value);

  WebSocketTransport::Carriage carriage{.message_bytes = options_.message_bytes,
                                        .first_message_bytes = options_.first_message_bytes};
  if (accept.deflate) {
    meters::deflate_agreed.add();
    carriage.framing = &options_.compression->framing(*accept.deflate);
    carriage.inflation = &*inflation_;
  }
  std::optional<std::string> first;
  if (!options_.first_parameter.empty()) first = request.query_param(options_.first_parameter);
  Seat seat = exchange.take_seat();
  http::UpgradeSocket taken = exchange.take_over();
  auto owned = std::make_unique<WebSocketTransport>(taken.server, carriage,
                                                    std::move(taken.unsent) + response_to(accept));
  WebSocketTransport& transport = *owned;
  taken.socket.set_handler(std::move(owned));
  session::Session& session =
      sessions_.open(adapters_.make(), transport, handshake, std::move(seat));
  transport.start(session);
  if (first) session.on_message(session::MessageType::kText, *first);
  taken.socket.feed(taken.leftover);
}

}  // namespace parley::transport::websocket
