#include "transport/sse/sse_handler.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "codec/http1/response_encoder.h"
#include "codec/sse/encoder.h"
#include "http/exchange.h"
#include "transport/sse/meters.h"
#include "transport/sse/sse_transport.h"

namespace parley::transport::sse {
namespace {

using http::HeaderView;
using session::EndReason;
using Headers = std::vector<HeaderView>;

constexpr std::string_view kContentType = "text/event-stream; charset=utf-8";

struct Refusal {
  EndReason reason;
  int status;
  std::string_view text;
};
constexpr Refusal kRefusals[] = {
    {EndReason::kUnauthorized, 401, "no or bad credentials"},
    {EndReason::kBadRequest, 400, "bad request"},
    {EndReason::kNotAvailable, 404, "not available"},
    {EndReason::kTooManyRequests, 429, "too many requests"},
    {EndReason::kLimit, 429, "above a limit"},
    {EndReason::kShutdown, 503, "the server stops"},
};
constexpr Refusal kOtherRefusal{EndReason::kInternalError, 500, "internal error"};

// An adapter that speaks HTTP statuses says which; otherwise the reason does.
Refusal refusal_for(EndReason reason, const session::EndCode& code) {
  if (code.code >= 400 && code.code <= 599) return {reason, code.code, code.text};
  const auto* found = std::ranges::find(kRefusals, reason, &Refusal::reason);
  return found != std::end(kRefusals) ? *found : kOtherRefusal;
}

// Empty for a request that is not from another site's page.
Headers cors_headers(const http::Request& request) {
  const std::string_view origin = request.header("Origin");
  if (origin.empty()) return {};
  return {{"Access-Control-Allow-Origin", origin},
          {"Access-Control-Allow-Credentials", "true"},
          {"Vary", "Origin"}};
}

// The head, and a first comment: it opens the stream at clients and proxies that wait for a byte of
// the body.
Buffer first_bytes(Headers headers, bool chunked) {
  headers.insert(headers.begin(), {{"Content-Type", kContentType},
                                   {"Cache-Control", "no-store, no-transform"},
                                   {"X-Accel-Buffering", "no"},
                                   {"X-Content-Type-Options", "nosniff"}});
  using enum codec::http1::ResponseFraming::Kind;
  Buffer out;
  // The origin passed the decoder, so the head is well-formed.
  CHECK(codec::http1::encode_response_head(200, headers, {.kind = chunked ? kChunked : kUntilClose},
                                           out));
  Buffer comment;
  codec::sse::encode_comment("", comment);
  if (chunked) {
    codec::http1::encode_chunk(comment, out);
  } else {
    out += comment;
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
  exchange.respond(200, kContentType, body, headers);
}

SseHandler::SseHandler(const session::AdapterFactory& adapters, session::SessionTable& sessions,
                       SseOptions options)
    : adapters_(adapters), sessions_(sessions), options_(std::move(options)) {}

void SseHandler::handle(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (!options_.origins.allows(request.header("Origin"), request.header("Host"))) {
    meters::count_foreign_origin();
    return exchange.respond_text(403, "this origin may not connect");
  }
  const Headers cors = cors_headers(request);
  if (request.method == "HEAD") return exchange.respond(200, kContentType, {}, cors);

  const std::string peer = exchange.peer().host();
  session::Handshake handshake{
      .transport = "sse",
      .path = exchange.path_tail().empty() ? request.path : exchange.path_tail(),
      .query = request.query,
      .peer = peer};
  for (const auto& header : request.headers)
    handshake.headers.emplace_back(header.name, header.value);

  const bool chunked = request.minor_version > 0;
  auto transport = std::make_unique<SseTransport>(exchange.server(), chunked);
  session::Session& session = sessions_.open(adapters_.make(), *transport, handshake);
  if (transport->ended() && !session.has_output()) {
    session.transport_closed(*transport->ended());
    const Refusal refusal = refusal_for(*transport->ended(), transport->end_code());
    meters::count_refusal(*transport->ended(), refusal.status);
    Headers headers = cors;
    if (refusal.status == 401) headers.push_back({"WWW-Authenticate", "Bearer"});
    return exchange.respond_text(refusal.status, refusal.text, headers);
  }
  http::UpgradeSocket taken = exchange.take_over();
  transport->start(session, std::move(taken.unsent) + first_bytes(cors, chunked));
  taken.socket.set_handler(std::move(transport));
  taken.socket.feed(taken.leftover);
}

}  // namespace parley::transport::sse
