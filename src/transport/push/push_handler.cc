#include "transport/push/push_handler.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/http1/response_encoder.h"
#include "codec/sse/encoder.h"
#include "http/exchange.h"
#include "transport/push/cors.h"
#include "transport/push/first_answer.h"
#include "transport/push/meters.h"
#include "transport/push/push_transport.h"

namespace parley::transport::push {
namespace {

using http::HeaderView;
using session::EndReason;
using Headers = std::vector<HeaderView>;

Buffer first_bytes(Headers headers, PushFormat format, bool chunked) {
  headers.insert(
      headers.begin(),
      {{"Content-Type", content_type(format)},
       {"Cache-Control", "private, no-cache, no-store, must-revalidate, max-age=0, no-transform"},
       {"Pragma", "no-cache"},
       {"X-Accel-Buffering", "no"},
       {"X-Content-Type-Options", "nosniff"}});
  using enum codec::http1::ResponseFraming::Kind;
  Buffer out;
  // The origin passed the decoder, so the head is well-formed.
  CHECK(codec::http1::encode_response_head(200, headers, {.kind = chunked ? kChunked : kUntilClose},
                                           out));
  if (chunked) {
    codec::http1::encode_chunk(preamble(format), out);
  } else {
    out += preamble(format);
  }
  return out;
}

}  // namespace

void say_later(http::Exchange& exchange, const http::Admission::Refusal& refusal) {
  Buffer body;
  codec::sse::encode_comment(std::string(" ").append(refusal.text), body);
  const auto retry = static_cast<uint32_t>(refusal.retry_after.count() * 1000);
  CHECK(codec::sse::encode_event({.retry_ms = retry}, body));
  Headers headers = cors_headers(exchange.request());
  headers.push_back({"Cache-Control", "no-store"});
  exchange.respond(200, content_type(PushFormat::kEvents), body, headers);
}

void say_unavailable(http::Exchange& exchange, const http::Admission::Refusal& refusal) {
  const std::string after = std::to_string(refusal.retry_after.count());
  Headers headers = cors_headers(exchange.request());
  headers.push_back({"Retry-After", after});
  exchange.respond_text(refusal.status, refusal.text, headers);
}

PushHandler::PushHandler(const session::AdapterFactory& adapters, session::SessionTable& sessions,
                         PushOptions options)
    : adapters_(adapters), sessions_(sessions), options_(std::move(options)) {}

void PushHandler::handle(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (!options_.origins.allows(request.header("Origin"), request.header("Host"))) {
    meters::count_foreign_origin();
    return exchange.respond_text(403, "this origin may not connect");
  }
  if (request.method == "OPTIONS") return respond_preflight(exchange, options_.methods);
  const Headers cors = cors_headers(request);
  if (request.method == "HEAD")
    return exchange.respond(200, content_type(options_.format), {}, cors);
  if (sessions_.closed()) {
    meters::count_refusal(EndReason::kShutdown, 503);
    Headers headers = cors;
    headers.insert(headers.end(), {{"Retry-After", "1"}, {"Connection", "close"}});
    return exchange.respond_text(503, "the server stops", headers);
  }
  if (!options_.first) return open(exchange, {});
  if (request.method == "POST") return open(exchange, request.body);
  const auto parameter = request.query_param(options_.first->parameter);
  if (!parameter && !options_.first->otherwise) {
    meters::count_refusal(EndReason::kBadRequest, 400);
    return exchange.respond_text(400, "the address says nothing to connect with", cors);
  }
  open(exchange, parameter ? ByteView(*parameter) : *options_.first->otherwise);
}

void PushHandler::open(http::Exchange& exchange, ByteView first) {
  const http::Request& request = exchange.request();
  const bool binary = options_.binary_format && is_binary(request);
  const PushFormat format = binary ? *options_.binary_format : options_.format;
  const auto type = binary ? session::MessageType::kBinary : session::MessageType::kText;
  const bool chunked = request.minor_version > 0;
  auto transport = std::make_unique<PushTransport>(exchange.server(), format, chunked);
  const io::PeerAddress client = exchange.client();
  const std::string peer = client.host();
  const std::string key =
      options_.uplinks ? transport->open_uplink(*options_.uplinks, type) : std::string();
  session::Handshake handshake{
      .transport = options_.transport,
      .path = exchange.path_tail().empty() ? request.path : exchange.path_tail(),
      .query = request.query,
      .binary = binary,
      .one_way = options_.uplinks == nullptr,
      .session = key,
      .peer = peer,
      .peer_network = client.network_key()};
  for (const auto& header : request.headers)
    handshake.headers.emplace_back(header.name, header.value);

  session::Session& session =
      sessions_.open(adapters_.make(), *transport, handshake, exchange.take_seat());
  if (options_.first) session.on_message(type, first);
  const Headers cors = cors_headers(request);
  if (transport->ended() && !session.has_output()) {
    session.transport_closed(*transport->ended());
    const Refusal refusal = refusal_for(*transport->ended(), transport->end_code());
    meters::count_refusal(*transport->ended(), refusal.status);
    Headers headers = cors;
    if (refusal.status == 401) headers.push_back({"WWW-Authenticate", "Bearer"});
    return exchange.respond_text(refusal.status, refusal.text, headers);
  }
  // Copied before the request goes with its connection's handler.
  FirstAnswer answer{.stream = first_bytes(cors, format, chunked),
                     .origin = std::string(request.header("Origin"))};
  http::UpgradeSocket taken = exchange.take_over();
  // The head goes out at once, before the session has anything to say, unless it may still turn out
  // that the client is not let in.
  transport->start(session, std::move(taken.unsent), std::move(answer),
                   session.awaits_answer() && !session.has_output());
  taken.socket.set_handler(std::move(transport));
  taken.socket.feed(taken.leftover);
}

}  // namespace parley::transport::push
