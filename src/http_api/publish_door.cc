#include "http_api/publish_door.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "codec/json/write.h"
#include "http/exchange.h"
#include "http_api/publish_request.h"

namespace parley::http_api {
namespace {

metrics::Counter published_total("parley_publish_door_published_total",
                                 "Publishes through POST /pub that were applied");
// The last: any other.
constexpr int kStatuses[] = {400, 403, 404, 409, 413, 415, 503};
constexpr std::string_view kStatusNames[] = {"400", "403", "404", "409",
                                             "413", "415", "503", "5xx"};
metrics::CounterFamily refused_total("parley_publish_door_refused_total",
                                     "Publishes through POST /pub that were refused, by status",
                                     "status", kStatusNames);

// Idempotency keys of strangers live apart from the server API's, whose scope is "", and from those
// of any user: no user id begins with a control character.
constexpr std::string_view kScope = "\x01pub";

struct Refusal {
  ApiError error;
  int status;
};

Refusal refusal(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kUnknownChannel:
      return {ApiError::kUnknownChannel, 404};
    case auth::Verdict::kBadName:
      return {ApiError::kBadRequest, 400};
    case auth::Verdict::kNotAvailable:
      return {ApiError::kNotAvailable, row_of(ApiError::kNotAvailable).status};
    case auth::Verdict::kAllow:
    case auth::Verdict::kDeny:
      break;
  }
  return {ApiError::kPermissionDenied, 403};
}

Refusal refusal(hub::HubError error) {
  if (error == hub::HubError::kUnsupportedKind) return {ApiError::kBadRequest, 415};
  return {api_error(error), row_of(api_error(error)).status};
}

std::string_view words(auth::Verdict verdict) {
  return verdict == auth::Verdict::kBadName ? "not a channel name: 1 to 255 printable ASCII letters"
                                            : "";
}

std::string_view words(hub::HubError error) {
  switch (error) {
    case hub::HubError::kUnsupportedKind:
      return "the channel does not take this kind of content";
    case hub::HubError::kIdempotencyConflict:
      return "this Idempotency-Key was used with another message";
    default:
      return "";
  }
}

Answer error_answer(Refusal refusal, std::string_view message = {}) {
  const auto* status = std::ranges::find(kStatuses, refusal.status);
  refused_total.add(static_cast<size_t>(status - std::begin(kStatuses)));
  Buffer body = R"({"error":)";
  append_error(body, refusal.error, message);
  body += '}';
  if (refusal.status == 503) return overloaded(std::move(body));
  return {.status = refusal.status, .body = std::move(body)};
}

Answer published_answer(const hub::Published& published) {
  published_total.add();
  Buffer body = R"({"epoch":)";
  codec::json::append_string(body, hub::to_string(published.position.epoch));
  body += R"(,"offset":)";
  append_uint(body, published.position.offset);
  body += '}';
  return {.body = std::move(body)};
}

// So that the page may read the answer, errors included.
Answer for_page(Answer answer, const std::string& origin) {
  answer.headers.push_back({"Vary", "Origin"});
  if (!origin.empty()) answer.headers.push_back({"Access-Control-Allow-Origin", origin});
  return answer;
}

}  // namespace

PublishDoor::PublishDoor(hub::Hub& hub, const auth::Access& access, PublishDoorOptions options)
    : hub_(hub), access_(access), options_(std::move(options)), who_(hub_.add(*this)) {
  CHECK(options_.waiting <= PendingTable<Waiting>::kMaxSlots);
}

PublishDoor::~PublishDoor() { hub_.remove(who_); }

void PublishDoor::add_routes(http::Router& router) {
  // A little above the limit, so that a body just too large is told so in JSON.
  router.add_prefix("POST", "/pub/", *this, options_.data_bytes + options_.data_bytes / 4);
  router.add_prefix("OPTIONS", "/pub/", *this);
}

void PublishDoor::handle(http::Exchange& exchange) {
  serve(exchange.request(), exchange.path_tail(), reply_to(exchange));
}

void PublishDoor::serve(Request request, const std::string& channel, ReplyTo reply) {
  const std::string origin(request.header("Origin"));
  // Not only a matter of CORS: a page can send a text/plain body anywhere without asking first.
  if (!options_.origins.allows(origin, request.header("Host"))) {
    return reply(error_answer({ApiError::kPermissionDenied, 403},
                              "pages of this origin may not publish here"));
  }
  if (request.method == "OPTIONS") return reply(preflight(origin));
  const auto refuse = [&](Refusal why, std::string_view message) {
    reply(for_page(error_answer(why, message), origin));
  };
  if (waiting_.size() >= options_.waiting) return refuse({ApiError::kTooManyRequests, 503}, "");
  const auto verdict = access_.check(auth::Principal{}, channel, auth::Verb::kPublish);
  if (verdict != auth::Verdict::kAllow) return refuse(refusal(verdict), words(verdict));
  if (request.body.size() > options_.data_bytes)
    return refuse({ApiError::kBadRequest, 413}, "the message is too large");
  auto read = read_publish_request(request);
  if (!read) return refuse({ApiError::kBadRequest, 400}, read.error().message);

  hub::PublishRecord record;
  record.channel = {channel, hub::Aspect::kMessages};
  record.publication = std::move(read->publication);
  record.principal = kScope;
  record.idempotency_key = std::move(read->idempotency_key);
  hub_.publish(who_, waiting_.add({std::move(reply), origin}), std::move(record));
}

void PublishDoor::on_answer(hub::StepId step, hub::Answer answer) {
  auto waiting = waiting_.take(step);
  if (!waiting) return;
  Answer out = answer ? published_answer(std::get<hub::Published>(*answer))
                      : error_answer(refusal(answer.error()), words(answer.error()));
  waiting->reply(for_page(std::move(out), waiting->origin));
}

Answer PublishDoor::preflight(const std::string& origin) const {
  Answer answer{.status = 204, .content_type = ""};
  answer.headers = {{"Access-Control-Allow-Methods", "POST"},
                    {"Access-Control-Allow-Headers", "Content-Type, Idempotency-Key, Parley-Event"},
                    {"Access-Control-Max-Age", "600"}};
  return for_page(std::move(answer), origin);
}

}  // namespace parley::http_api
