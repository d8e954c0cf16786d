#include "adapter/eventsource/adapter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "adapter/eventsource/dialect.h"
#include "adapter/eventsource/event_id.h"
#include "auth/bearer.h"
#include "base/check.h"
#include "codec/http1/uri.h"
#include "codec/sse/encoder.h"

namespace parley::adapter::eventsource {
namespace {

using session::EndReason;

// What a client is told at the end.
enum class Farewell : uint8_t {
  kNone,       // nobody listens
  kRefusal,    // an HTTP status while it can be given, else as kLater
  kLater,      // a comment and when to come back; never a status, on which EventSource gives up for
               // ever
  kMuchLater,  // the same for who is not wanted
};
struct End {
  session::EndCode code;
  Farewell farewell;
};

// In the order of EndReason.
constexpr std::array<End, session::kEndReasons> kEnds{{
    {{200, "client left"}, Farewell::kNone},
    {{200, "transport lost"}, Farewell::kNone},
    {{503, "server stops"}, Farewell::kLater},
    {{400, "bad request"}, Farewell::kRefusal},
    {{413, "too large"}, Farewell::kRefusal},
    {{408, "too slow to start"}, Farewell::kRefusal},
    {{408, "no sign of life"}, Farewell::kNone},
    {{503, "does not keep up"}, Farewell::kLater},
    {{429, "too many requests"}, Farewell::kLater},
    {{429, "above a limit"}, Farewell::kLater},
    {{401, "unauthorized"}, Farewell::kRefusal},
    {{404, "no such channel"}, Farewell::kRefusal},
    {{500, "internal error"}, Farewell::kLater},
    {{503, "position lost"}, Farewell::kLater},
    {{403, "forbidden"}, Farewell::kRefusal},
    {{401, "expired"}, Farewell::kRefusal},
    {{401, "expired"}, Farewell::kRefusal},
    {{403, "disconnected"}, Farewell::kMuchLater},
    {{403, "superseded"}, Farewell::kMuchLater},
    {{429, "too many connections of this user"}, Farewell::kMuchLater},
    {{401, "revoked"}, Farewell::kRefusal},
    {{403, "blocked"}, Farewell::kRefusal},
}};
constexpr session::EndCode kForbidden{403, "forbidden"};

const End& end_of(EndReason reason) { return kEnds[static_cast<size_t>(reason)]; }

EndReason refusal(auth::Verdict verdict) {
  switch (verdict) {
    case auth::Verdict::kUnknownChannel:
    case auth::Verdict::kNotAvailable:
      return EndReason::kNotAvailable;
    case auth::Verdict::kBadName:
      return EndReason::kBadRequest;
    case auth::Verdict::kAllow:
    case auth::Verdict::kDeny:
      break;
  }
  return EndReason::kUnauthorized;
}

// The id that the client resumes from, "" for none. The header is what a reconnect sends and wins
// over the query, where polyfills put the id. Nothing when the query is malformed.
std::optional<std::string> last_event_id(const session::Handshake& handshake) {
  const auto params = codec::http1::parse_query(handshake.query);
  if (!params) return std::nullopt;
  std::string id(handshake.header("last-event-id"));
  for (const auto& [name, value] : *params)
    if (id.empty() && (name == "lastEventId" || name == "last_event_id")) id = value;
  return id;
}

uint32_t in_ms(Duration duration) {
  return static_cast<uint32_t>(std::chrono::duration_cast<milliseconds>(duration).count());
}

}  // namespace

const session::Dialect& EventSourceAdapter::dialect() const { return eventsource_dialect(); }

// A token in the header wins over one in the query, which is there for browsers: their EventSource
// can set no header.
void EventSourceAdapter::on_open(const session::Handshake& handshake, session::Effects& effects) {
  const auto id = last_event_id(handshake);
  if (!id) return effects.end(EndReason::kBadRequest);
  std::string token(auth::bearer_token(handshake.header("authorization")));
  for (const std::string_view name : {"token", "ticket"})
    if (token.empty()) token = codec::http1::find_query_param(handshake.query, name).value_or("");
  if (!token.empty()) {
    listener_ = std::make_unique<Listener>(
        Listener{.who = {}, .channel = std::string(handshake.path), .last_event_id = *id});
    return effects.verify(0, auth::TokenUse::kConnect, std::move(token));
  }
  if (!access_.anonymous_may_connect()) {
    const std::string& header = access_.connect().user_header;
    const std::string_view user = header.empty() ? "" : handshake.header(header);
    if (user.empty()) return effects.end(EndReason::kUnauthorized);
    listener_ = std::make_unique<Listener>();
    listener_->who.user = user;
  }
  admit(handshake.path, *id, effects);
}

void EventSourceAdapter::on_verified(hub::StepId, auth::TokenResult result,
                                     session::Effects& effects) {
  if (!result) {
    if (result.error() == auth::TokenError::kBlocked) return effects.end(EndReason::kBlocked);
    const bool passes = result.error() == auth::TokenError::kUnavailable;
    return effects.end(passes ? EndReason::kInternalError : EndReason::kUnauthorized);
  }
  const auth::ConnectRules& rules = access_.connect();
  if (result->user.empty() && !rules.anonymous_tokens) return effects.end(EndReason::kForbidden);
  listener_->who.user = std::move(result->user);
  listener_->who.caps = std::move(result->caps);
  if (result->expires_at && !rules.insecure) {
    // The token is the only one that this client will show, so there is nothing to wait for.
    const int64_t left = *result->expires_at - effects.now().wall / 1000;
    if (left <= 0) return effects.end(EndReason::kExpired);
    constexpr int64_t kMostSeconds = 365 * 24 * 3600;
    effects.set_timer(session::TimerId::kOther, seconds(std::min(left, kMostSeconds)));
  }
  admit(std::exchange(listener_->channel, {}), std::exchange(listener_->last_event_id, {}),
        effects);
}

void EventSourceAdapter::admit(std::string_view channel, std::string_view last_event_id,
                               session::Effects& effects) {
  const auth::Verdict verdict = access_.check(who(), channel, auth::Verb::kSubscribe);
  if (verdict != auth::Verdict::kAllow) {
    forbidden_ = true;
    return effects.end(refusal(verdict));
  }
  if (!effects.enter(who().user)) return effects.end(EndReason::kUserLimit);
  hub::Start start;
  if (!last_event_id.empty()) {
    resuming_ = true;
    start.kind = hub::Start::Kind::kResume;
    start.position = parse_event_id(last_event_id);
  }
  handle_ = effects.subscribe({.name = std::string(channel)}, start);
  effects.identify();
  open_ = !effects.ended();
}

const auth::Principal& EventSourceAdapter::who() const {
  static const auth::Principal anybody;
  return listener_ ? listener_->who : anybody;
}

// Nothing comes this way from an EventSource.
void EventSourceAdapter::on_message(session::MessageType, ByteView, session::Effects& effects) {
  effects.end(EndReason::kBadRequest);
}

void EventSourceAdapter::on_subscribed(session::SubscriptionHandle,
                                       std::expected<hub::Subscribed, hub::HubError> result,
                                       session::Effects& effects) {
  if (!result) {
    const bool missing = result.error() == hub::HubError::kUnknownChannel ||
                         result.error() == hub::HubError::kNotAvailable;
    return effects.end(missing ? EndReason::kNotAvailable : EndReason::kInternalError);
  }
  codec::sse::Event event{
      .retry_ms = in_ms(effects.random_between(options_.retry_from, options_.retry_to))};
  // A block with only an id dispatches no event but is remembered: a client that is cut off before
  // its first event still resumes. One that resumes keeps its own id until it has what it missed.
  std::string id;
  if (!resuming_) event.id = id = to_event_id(result->top);
  Buffer& out = effects.scratch();
  CHECK(codec::sse::encode_event(event, out));
  effects.send(out);
  if (options_.heartbeat > Duration::zero())
    effects.set_timer(session::TimerId::kPing,
                      effects.random_between(options_.heartbeat / 2, options_.heartbeat));
}

void EventSourceAdapter::on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
                                session::Effects& effects) {
  Buffer& out = effects.scratch();
  encode_gap(gap, effects.position(handle), out);
  effects.send(out);
}

void EventSourceAdapter::on_timer(session::TimerId timer, session::Effects& effects) {
  if (timer == session::TimerId::kOther) return effects.end(EndReason::kExpired);
  if (effects.unheard(options_.unheard)) return effects.end(EndReason::kNoPong);
  Buffer& out = effects.scratch();
  codec::sse::encode_comment(" hb", out);
  effects.send_urgent(out);
  effects.set_timer(session::TimerId::kPing, options_.heartbeat);
}

// A stream is its one subscription, so losing that is the end.
void EventSourceAdapter::on_control(const hub::Control& control, session::Effects& effects) {
  if (control.kind != hub::Control::Kind::kUnsubscribe) return;
  const hub::ChannelKey* channel = effects.channel(handle_);
  if (channel != nullptr && channel->name == control.channel) effects.end(EndReason::kDisconnected);
}

session::EndCode EventSourceAdapter::on_end(EndReason reason, session::Effects& effects) {
  const End& end = end_of(reason);
  const bool silent =
      end.farewell == Farewell::kNone || (end.farewell == Farewell::kRefusal && !open_);
  if (!silent) {
    Buffer& out = effects.scratch();
    codec::sse::encode_comment(std::string(" end ").append(session::to_string(reason)), out);
    const bool wanted = end.farewell != Farewell::kMuchLater;
    const Duration later =
        wanted ? effects.random_between(options_.retry_to, options_.late_retry_to)
               : effects.random_between(options_.unwanted_retry_from, options_.unwanted_retry_to);
    CHECK(codec::sse::encode_event({.retry_ms = in_ms(later)}, out));
    effects.send(out);
  }
  return forbidden_ && reason == EndReason::kUnauthorized ? kForbidden : end.code;
}

}  // namespace parley::adapter::eventsource
