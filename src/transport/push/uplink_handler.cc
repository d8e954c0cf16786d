#include "transport/push/uplink_handler.h"

#include <utility>
#include <vector>

#include "transport/push/cors.h"
#include "transport/push/meters.h"

namespace parley::transport::push {
namespace {

using meters::BadUplink;
using session::Delivery;

struct UplinkAnswer {
  int status;
  std::string_view text;
};
constexpr UplinkAnswer kAnswers[session::kDeliveries] = {
    {204, ""},
    {204, ""},
    {404, "there is no such session"},
    {429, "too much waits for this session"},
    {503, "too many requests are under way"},
};

void respond(const http::ExchangeRef& exchange, Delivery outcome) {
  http::Exchange* there = exchange.get();
  if (there == nullptr) return;
  const auto& [status, text] = kAnswers[static_cast<size_t>(outcome)];
  auto headers = cors_headers(there->request());
  if (status == 204) return there->respond(status, {}, {}, headers);
  if (status == 503) headers.push_back({"Retry-After", "1"});
  there->respond_text(status, text, headers);
}

}  // namespace

void UplinkHandler::handle(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (!origins_.allows(request.header("Origin"), request.header("Host"))) {
    meters::uplinks_refused.add(BadUplink::kOrigin);
    return exchange.respond_text(403, "this origin may not connect");
  }
  if (request.method == "OPTIONS") return respond_preflight(exchange, "POST, OPTIONS");
  const auto type =
      is_binary(request) ? session::MessageType::kBinary : session::MessageType::kText;
  auto message = protocol_.read_uplink(type, request.body);
  if (!message) {
    meters::uplinks_refused.add(BadUplink::kMalformed);
    return exchange.respond_text(400, "the request cannot be read", cors_headers(request));
  }
  uplinks_.deliver(message->session, std::move(message->data),
                   [asked = exchange.defer()](Delivery outcome) { respond(asked, outcome); });
}

}  // namespace parley::transport::push
