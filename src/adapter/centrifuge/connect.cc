// Who comes: from the connect to its reply. What comes behind it waits; see also
// server_subscriptions.cc.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "codec/json/embed.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::handle(uint32_t id, const wire::ConnectRequest& request,
                               session::Effects& effects) {
  stage_ = Stage::kConnecting;
  note_app(request.name, request.version);
  connecting_ = std::make_unique<Connecting>();
  connecting_->command = id;
  for (const auto& [channel, wish] : request.subs)
    connecting_->wishes.emplace_back(channel, to_recovery(wish));
  if (!request.token.empty()) {
    const hub::StepId step =
        requests_.add({.command = id, .token = PendingRequest::Token::kConnect});
    return effects.verify(step, auth::TokenUse::kConnect, std::string(request.token));
  }
  // Without a token: anybody, or the user that the reverse proxy named.
  if (!context_.access.anonymous_may_connect() && !account_) return bad_request(effects);
  identified({}, effects);
}

// For the backend to see. Names of any length would be memory for whoever likes to take it.
void CentrifugeAdapter::note_app(std::string_view name, std::string_view version) {
  constexpr size_t kMost = 128;
  if (name.size() > kMost || version.size() > kMost || (name.empty() && version.empty())) return;
  app_ = std::make_unique<const App>(App{std::string(name), std::string(version)});
}

session::Description CentrifugeAdapter::describe() const {
  return {.app_name = app_ ? std::string_view(app_->name) : std::string_view(),
          .app_version = app_ ? std::string_view(app_->version) : std::string_view(),
          .encoding = codec_ == &json_codec() ? "json" : "protobuf"};
}

void CentrifugeAdapter::connect_verified(auth::TokenResult result, session::Effects& effects) {
  const auth::ConnectRules& rules = context_.access.connect();
  if (!result) {
    if (result.error() == auth::TokenError::kExpired)
      return refuse_connect(wire::ErrorCode::kTokenExpired, effects);
    if (result.error() == auth::TokenError::kUnavailable)
      return refuse_connect(wire::ErrorCode::kInternal, effects);
    if (result.error() == auth::TokenError::kBlocked)
      return effects.end(session::EndReason::kBlocked);
    return effects.end(session::EndReason::kUnauthorized);
  }
  auth::Claims& claims = *result;
  if (claims.user.empty() && !rules.anonymous_tokens)
    return effects.end(session::EndReason::kForbidden);
  account_ = std::make_unique<Account>();
  account_->who.user = std::move(claims.user);
  account_->who.info = codec::json::to_embeddable(std::move(claims.info));
  account_->who.caps = std::move(claims.caps);
  if (claims.expires_at && !rules.insecure) {
    if (expired(*claims.expires_at, effects))
      return refuse_connect(wire::ErrorCode::kExpired, effects);
    account_->expires_at = *claims.expires_at;
  }
  account_->token_channels = channels_of(claims.subscriptions);
  identified(std::move(claims.subscriptions), effects);
}

void CentrifugeAdapter::identified(std::vector<auth::Grant> grants, session::Effects& effects) {
  client_ = uuid4(effects.ids());
  if (one_way_) session_ = std::make_unique<const std::string>(to_string(uuid4(effects.ids())));
  if (const auto code = start_server_side(std::move(grants), effects))
    return refuse_connect(*code, effects);
  if (effects.ended() || !honour_wishes(effects)) return;
  if (channels_.empty()) return finish_connect(effects);
  if (channels_.size() > context_.options.channel_limit)
    return effects.end(session::EndReason::kLimit);
  effects.hold_publications(true);
}

// The client is told, and may only leave: what it sent meanwhile, and what it sends from now on, is
// not answered.
void CentrifugeAdapter::refuse_connect(wire::ErrorCode code, session::Effects& effects) {
  if (one_way_) return effects.end(one_way_end(code));
  const uint32_t command = connecting_->command;
  stage_ = Stage::kRefused;
  connecting_.reset();
  account_.reset();
  for (const Channel& channel : channels_) effects.unsubscribe(channel.handle);
  channels_.clear();
  refuse(command, code, effects);
}

void CentrifugeAdapter::finish_connect(session::Effects& effects) {
  // Who is the only connection of its user ends the others.
  if (!effects.enter(who().user, is_only_connection()))
    return effects.end(session::EndReason::kUserLimit);
  const std::unique_ptr<Connecting> connecting = std::move(connecting_);
  stage_ = Stage::kConnected;
  effects.identify();
  effects.cancel_timer(session::TimerId::kHandshake);
  reply_connected(connecting->command, *connecting, effects);
  if (is_only_connection()) effects.supersede();
  start_pings(effects);
  if (!channels_.empty()) effects.hold_publications(false);
  for (Channel& channel : channels_) settle(channel, *std::exchange(channel.joining, {}), effects);
  if (account_ || !channels_.empty()) watch_deadlines(effects);
  for (const HeldFrames::Frame& frame : connecting->held.frames) {
    if (effects.ended()) return;
    read(frame.bytes, frame.done, effects);
  }
}

// The newest connection of a user is the one that stays.
bool CentrifugeAdapter::is_only_connection() const {
  const auth::ConnectRules& rules = context_.access.connect();
  return rules.personal_channel && rules.single_connection && !who().user.empty();
}

void CentrifugeAdapter::start_pings(session::Effects& effects) {
  const seconds interval = context_.options.ping_interval;
  // Clients that came together are not pinged together.
  if (interval.count() > 0)
    effects.set_timer(session::TimerId::kPing, effects.random_between(interval / 2, interval));
}

void CentrifugeAdapter::on_timer(session::TimerId timer, session::Effects& effects) {
  switch (timer) {
    case session::TimerId::kHandshake:
      return effects.end(session::EndReason::kStale);
    case session::TimerId::kPong:
      return on_late_pong(effects);
    case session::TimerId::kOther:
      return expire(effects);
    case session::TimerId::kPing:
      break;
  }
  Buffer& ping = effects.scratch();
  codec_->append_ping(ping);
  effects.send_urgent(ping);
  effects.set_timer(session::TimerId::kPing, context_.options.ping_interval);
  if (!one_way_) ++awaited_pongs_;
  effects.set_timer(session::TimerId::kPong, context_.options.pong_timeout);
}

// From who only listens the confirmation that the ping arrived is all that can be asked for.
void CentrifugeAdapter::on_late_pong(session::Effects& effects) {
  if (!one_way_ || effects.unheard(context_.options.pong_timeout))
    effects.end(session::EndReason::kNoPong);
}

// Exactly one for each ping. Of a client whose input we had paused several may be on their way.
void CentrifugeAdapter::handle(uint32_t, const wire::Pong&, session::Effects& effects) {
  if (awaited_pongs_ == 0) return bad_request(effects);
  if (--awaited_pongs_ > 0)
    return effects.set_timer(session::TimerId::kPong, context_.options.pong_timeout);
  effects.cancel_timer(session::TimerId::kPong);
}

}  // namespace parley::adapter::centrifuge
