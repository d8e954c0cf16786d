#include "http_api/publish_door.h"

#include <algorithm>
#include <utility>

#include "auth/bearer.h"
#include "auth/ticket_order.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "codec/http1/syntax.h"
#include "codec/json/embed.h"
#include "codec/json/write.h"
#include "http/exchange.h"
#include "http_api/publish_request.h"

namespace parley::http_api {
namespace {

metrics::Counter published_total("parley_publish_door_published_total",
                                 "Publishes through POST /pub that were applied");
// The last: any other.
constexpr int kStatuses[] = {400, 403, 404, 409, 413, 415, 429, 503};
constexpr std::string_view kStatusNames[] = {"400", "403", "404", "409", "413",
                                             "415", "429", "503", "5xx"};
metrics::CounterFamily refused_total("parley_publish_door_refused_total",
                                     "Publishes through POST /pub that were refused, by status",
                                     "status", kStatusNames);

// Idempotency keys of strangers live apart from the server API's, whose scope is "", and from those
// of any user: no user id begins with a control character.
constexpr std::string_view kScope = "\x01pub";

// Of those that may wait, so much more with the key.
constexpr size_t kReservedPart = 8;

struct Refusal {
  ApiError error;
  int status;
};

constexpr Refusal kTooOften{ApiError::kTooManyRequests, 429};
constexpr std::string_view kTooManyPublishes = "too many publishes, try again later";

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
  if (error == hub::HubError::kRateLimited) return kTooOften;
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
    case hub::HubError::kInvalidData:
      return "the data are not in the format of this channel";
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
  if (refusal.status == 429) return too_often(std::move(body));
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

constexpr Refusal kUnauthorized{ApiError::kUnauthorized, 401};

bool shows_api_key(const Request& request) {
  return !request.header("X-API-Key").empty() ||
         codec::http1::equals_ignoring_case(request.header("Authorization").substr(0, 7),
                                            "apikey ");
}

// Of at most 9,999 bytes.
bool is_small(const Request& head) {
  const std::string_view length = head.header("Content-Length");
  return !length.empty() && length.size() < 5;
}

// admits() has looked at its head. A chunked body is announced also where it turns out to be empty,
// one of no length is not.
bool was_admitted(const Request& request) {
  const bool announced = !request.body.empty() || !request.header("Transfer-Encoding").empty();
  return announced && !is_small(request);
}

// So that the page may read the answer, errors included.
Answer for_page(Answer answer, const std::string& origin) {
  answer.headers.push_back({"Vary", "Origin"});
  if (!origin.empty()) answer.headers.push_back({"Access-Control-Allow-Origin", origin});
  return answer;
}

// Asks while the body comes: keys are fetched, but nobody waits for a late answer.
struct Nobody final : auth::Askers {
  bool is_there(uint64_t) const override { return false; }
};
const Nobody kNobody{};

template <class Call>
void refuse(Call& call, Refusal why, std::string_view message) {
  Answer answer = error_answer(why, message);
  if (why.status == 401) answer.headers.push_back({"WWW-Authenticate", "Bearer"});
  call.back.reply(for_page(std::move(answer), call.back.origin));
}

}  // namespace

PublishDoor::PublishDoor(hub::Hub& hub, const auth::Access& access, auth::Authenticator& tokens,
                         PublishDoorOptions options)
    : hub_(hub),
      access_(access),
      options_(std::move(options)),
      tokens_(tokens),
      api_key_(options_.api_key),
      who_(hub_.add(*this, hub::RequesterRole::kManyClients)),
      operator_(hub_.add(*this, hub::RequesterRole::kOperator)),
      self_(std::make_shared<PublishDoor*>(this)) {
  CHECK(options_.waiting + options_.waiting / kReservedPart <= PendingTable<Waiting>::kMaxSlots);
}

PublishDoor::~PublishDoor() {
  hub_.remove(who_);
  hub_.remove(operator_);
}

void PublishDoor::add_routes(http::Router& router) {
  // A little above the limit, so that a body just too large is told so in JSON.
  router.add_prefix("POST", options_.prefix + "/", *this,
                    options_.data_bytes + options_.data_bytes / 4);
  router.add_prefix("OPTIONS", options_.prefix + "/", *this);
}

void PublishDoor::handle(http::Exchange& exchange) {
  const Request& request = exchange.request();
  if (const auto why = std::exchange(turned_away_, std::nullopt)) {
    Call call{request, {}, {reply_to(exchange), std::string(request.header("Origin"))}, 0};
    if (!why->too_often) return refuse_token(call, why->token);
    return refuse(call, kTooOften, kTooManyPublishes);
  }
  const uint64_t address = exchange.client().network_key();
  serve(request, exchange.path_tail(), reply_to(exchange), address, was_admitted(request));
}

void PublishDoor::serve(Request request, const std::string& channel, ReplyTo reply,
                        uint64_t address, bool paid) {
  const std::string origin(request.header("Origin"));
  // Not only a matter of CORS: a page can send a text/plain body anywhere without asking first.
  if (!options_.origins.allows(origin, request.header("Host"))) {
    return reply(error_answer({ApiError::kPermissionDenied, 403},
                              "pages of this origin may not publish here"));
  }
  if (request.method == "OPTIONS") return reply(preflight(origin));
  Call call{std::move(request), channel, {std::move(reply), origin}, address};
  const bool key = shows_api_key(call.request);
  if (key && !api_key_.admits(call.request)) return refuse(call, kUnauthorized, "not the API key");
  const size_t reserve = key ? options_.waiting / kReservedPart : 0;
  if (waiting() >= options_.waiting + reserve)
    return refuse(call, {ApiError::kTooManyRequests, 503}, "");
  if (key) return publish(nullptr, std::move(call));
  const std::string token(auth::bearer_token(call.request.header("Authorization")));
  if (!token.empty()) {
    // Forged ones are paid for, too; the user is asked once the token says who that is.
    const uint64_t asked = std::exchange(call.address, 0);
    if (!paid && !may_publish({}, asked)) return refuse(call, kTooOften, kTooManyPublishes);
    call.back.by = Waiting::By::kToken;
    return verify(token, asked, std::move(call));
  }
  const auto who = without_token(call.request);
  if (!who) return refuse(call, kUnauthorized, "a token is needed");
  publish(&*who, std::move(call));
}

// Not where serve() refuses whatever the body is, as far as that is known without waiting. A small
// body is worth neither a connection nor a token that is verified twice.
bool PublishDoor::admits(const http::Arrival& arrival) {
  const Request& head = arrival.request;
  if (is_small(head) || head.method == "OPTIONS") return true;
  if (!options_.origins.allows(head.header("Origin"), head.header("Host"))) return false;
  if (shows_api_key(head)) return api_key_.admits(head);
  const std::string_view token = auth::bearer_token(head.header("Authorization"));
  if (!token.empty()) return lets_in(token, arrival);
  const auto who = without_token(head);
  return who &&
         access_.check(*who, arrival.path_tail, auth::Verb::kPublish) == auth::Verdict::kAllow;
}

// Paid for before it is looked at; and looked at once, where it is bad.
bool PublishDoor::lets_in(std::string_view token, const http::Arrival& arrival) {
  const uint64_t address = options_.quotas != nullptr ? arrival.client().network_key() : 0;
  if (!may_publish({}, address)) {
    turned_away_ = {.too_often = true};
    return false;
  }
  if (auth::is_ticket(token)) return true;  // it would be used up
  const auto result = tokens_.verify(auth::TokenUse::kConnect, token, hub_.now().wall,
                                     {&kNobody, 0}, [](const auth::TokenResult&) {});
  if (!result || result->has_value()) return true;
  turned_away_ = {.token = result->error()};
  return false;
}

std::optional<auth::Principal> PublishDoor::without_token(const Request& request) const {
  auth::Principal who;
  if (access_.anonymous_may_connect()) return who;
  const std::string& header = access_.connect().user_header;
  if (!header.empty()) who.user = request.header(header);
  if (who.user.empty()) return std::nullopt;
  return who;
}

// The client may leave, and all the same its message is published if it may be. So its token waits
// on behalf of its address.
void PublishDoor::verify(std::string_view token, uint64_t address, Call call) {
  ++verifying_;
  auto waits = std::make_shared<Call>(std::move(call));
  auto done = [door = std::weak_ptr(self_), waits](auth::TokenResult result) {
    if (const auto self = door.lock()) (*self)->verified(std::move(result), std::move(*waits));
  };
  auto result = tokens_.verify(auth::TokenUse::kConnect, token, hub_.now().wall,
                               {.among = nullptr, .id = address}, std::move(done));
  if (result) verified(*std::move(result), std::move(*waits));
}

void PublishDoor::refuse_token(Call& call, auth::TokenError why) {
  if (why == auth::TokenError::kUnavailable)
    return refuse(call, {ApiError::kInternal, 503}, "the token cannot be verified now");
  if (why == auth::TokenError::kBlocked)
    return refuse(call, {ApiError::kPermissionDenied, 403}, "the user is blocked");
  const bool late = why == auth::TokenError::kExpired;
  return refuse(call, kUnauthorized, late ? "the token has expired" : "the token is not valid");
}

void PublishDoor::verified(auth::TokenResult result, Call call) {
  --verifying_;
  const auth::ConnectRules& rules = access_.connect();
  if (!result) return refuse_token(call, result.error());
  const bool expired = result->expires_at && *result->expires_at <= hub_.now().wall / 1000;
  if (expired && !rules.insecure) return refuse(call, kUnauthorized, "the connection has expired");
  if (result->user.empty() && !rules.anonymous_tokens)
    return refuse(call, {ApiError::kPermissionDenied, 403}, "anonymous tokens are not taken");
  call.back.token = std::move(result->id);
  const auth::Principal who{std::move(result->user),
                            codec::json::to_embeddable(std::move(result->info)),
                            std::move(result->caps)};
  publish(&who, std::move(call));
}

bool PublishDoor::may_publish(const auth::Principal& who, uint64_t address) const {
  if (options_.quotas == nullptr) return true;
  const uint64_t user = who.user.empty() ? 0 : SeededHash{}(who.user);
  return options_.quotas->may(Operation::kPublish, {address, user}, hub_.now().mono);
}

void PublishDoor::publish(const auth::Principal* who, Call call) {
  if (who != nullptr && !may_publish(*who, call.address))
    return refuse(call, kTooOften, kTooManyPublishes);
  auth::Verdict verdict =
      access_.has_name(call.channel) ? auth::Verdict::kAllow : auth::Verdict::kBadName;
  if (who != nullptr) verdict = access_.check(*who, call.channel, auth::Verb::kPublish);
  if (verdict != auth::Verdict::kAllow) return refuse(call, refusal(verdict), words(verdict));
  if (call.request.body.size() > options_.data_bytes)
    return refuse(call, {ApiError::kBadRequest, 413}, "the message is too large");
  auto read = read_publish_request(call.request);
  if (!read) return refuse(call, {ApiError::kBadRequest, 400}, read.error().message);

  hub::PublishRecord record;
  record.channel = {std::move(call.channel), hub::Aspect::kMessages};
  record.publication = std::move(read->publication);
  if (who != nullptr) record.principal = who->user.empty() ? std::string(kScope) : who->user;
  if (who != nullptr && !(who->user.empty() && who->info.empty()))
    record.publication->publisher = std::make_unique<const hub::ClientInfo>(
        hub::ClientInfo{.user = who->user, .client = {}, .connection_info = who->info});
  record.idempotency_key = std::move(read->idempotency_key);
  record.metered = who != nullptr;
  if (who == nullptr) {
    call.back.by = Waiting::By::kKey;
  } else {
    call.back.user = who->user;
  }
  hub_.publish(who != nullptr ? who_ : operator_, waiting_.add(std::move(call.back)),
               std::move(record));
}

void PublishDoor::on_revoked() {
  if (options_.revocations == nullptr) return;
  const auth::Revocations& revoked = *options_.revocations;
  waiting_.for_each([&](hub::StepId step, const Waiting& one) {
    const bool lost =
        one.by == Waiting::By::kToken
            ? revoked.judge(auth::TokenUse::kConnect, one.user, one.token, {}).has_value()
            : one.by == Waiting::By::kNothing && revoked.is_blocked(one.user);
    if (lost) hub_.withdraw({.who = who_, .step = step});
  });
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
                    {"Access-Control-Allow-Headers",
                     "Authorization, Content-Type, Idempotency-Key, Parley-Event"},
                    {"Access-Control-Max-Age", "600"}};
  return for_page(std::move(answer), origin);
}

}  // namespace parley::http_api
