// What expires, and the tokens that renew it.
#include <algorithm>
#include <utility>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "codec/json/embed.h"

namespace parley::adapter::centrifuge {
namespace {

constexpr int64_t kMostSeconds = 365 * 24 * 3600;

int64_t seconds_of(const Now& now) { return now.wall / 1000; }

// How long until `grace` behind the expiry is over.
Duration time_left(int64_t expires_at, seconds grace, const Now& now) {
  const int64_t most = seconds_of(now) + kMostSeconds;
  return milliseconds(std::min(expires_at, most) * 1000 - now.wall) + grace;
}

}  // namespace

bool CentrifugeAdapter::expired(int64_t expires_at, session::Effects& effects) const {
  return expires_at <= seconds_of(effects.now());
}

// Whole seconds that are left: the client renews when they are over, which must not be too late.
// 0 would say that nothing expires.
uint32_t CentrifugeAdapter::ttl(int64_t expires_at, session::Effects& effects) const {
  const WallMillis now = effects.now().wall;
  const int64_t left = (std::min(expires_at, now / 1000 + kMostSeconds) * 1000 - now) / 1000;
  return static_cast<uint32_t>(std::max<int64_t>(left, 1));
}

void CentrifugeAdapter::handle(uint32_t id, const wire::RefreshRequest& request,
                               session::Effects& effects) {
  if (request.token.empty()) return bad_request(effects);
  const hub::StepId step = requests_.add({.command = id, .token = PendingRequest::Token::kRefresh});
  effects.verify(step, auth::TokenUse::kRefresh, std::string(request.token));
}

void CentrifugeAdapter::refresh_verified(uint32_t id, auth::TokenResult result,
                                         session::Effects& effects) {
  using session::EndReason;
  if (!result) {
    if (result.error() == auth::TokenError::kUnavailable)
      return refuse(id, wire::ErrorCode::kInternal, effects);
    const bool late = result.error() == auth::TokenError::kExpired;
    return effects.end(late ? EndReason::kExpired : EndReason::kUnauthorized);
  }
  auth::Claims& claims = *result;
  if (claims.user != who().user) return effects.end(EndReason::kUnauthorized);
  const bool expires = claims.expires_at && !context_.access.connect().insecure;
  if (expires && expired(*claims.expires_at, effects)) return effects.end(EndReason::kExpired);
  if (!account_) account_ = std::make_unique<Account>();
  // Connecting anew is how the client comes by other subscriptions of the server.
  if (channels_of(claims.subscriptions) != account_->token_channels)
    return effects.end(EndReason::kInsufficientState);
  account_->who.info = codec::json::to_embeddable(std::move(claims.info));
  account_->who.caps = std::move(claims.caps);
  account_->expires_at = expires ? *claims.expires_at : 0;
  watch_deadlines(effects);
  wire::RefreshResult body;
  body.expires = expires;
  if (expires) body.ttl = ttl(account_->expires_at, effects);
  reply(id, body, effects);
  review(effects);
}

// From the last to the first: who is dropped leaves the list.
void CentrifugeAdapter::review(session::Effects& effects) {
  for (size_t i = channels_.size(); i-- > 0;) {
    Channel& channel = channels_[i];
    const bool lost =
        channel.by_caps && check(channel.name, auth::Verb::kSubscribe) != auth::Verdict::kAllow;
    if (lost) {
      revoke(channel, effects);
    } else {
      review_joins(channel, effects);
    }
  }
}

void CentrifugeAdapter::review_joins(Channel& channel, session::Effects& effects) {
  if (!channel.joins_by_caps) return;
  auth::Standing member{.subscribed = true};
  if (channel.terms) member.allow = channel.terms->allow;
  if (check(channel.name, auth::Verb::kJoinLeave, member) == auth::Verdict::kAllow) return;
  channel.joins_by_caps = false;
  if (channel.joining) channel.joining->join_leave = false;
  if (channel.presence_handle != 0) effects.unsubscribe(std::exchange(channel.presence_handle, 0));
}

bool CentrifugeAdapter::owes_to_caps(std::string_view channel, auth::Verb verb,
                                     auth::Standing standing) const {
  if (who().caps == nullptr && standing.allow.empty()) return false;
  standing.allow = {};
  return context_.access.check({.user = who().user}, channel, verb, standing) !=
         auth::Verdict::kAllow;
}

void CentrifugeAdapter::handle(uint32_t id, const wire::SubRefreshRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty()) return bad_request(effects);
  const Channel* channel = find(request.channel);
  if (!standing(channel).subscribed) return refuse(id, wire::ErrorCode::kPermissionDenied, effects);
  if (request.token.empty() || request.type != 0)
    return refuse(id, wire::ErrorCode::kBadRequest, effects);
  const hub::StepId step = requests_.add({.command = id,
                                          .token = PendingRequest::Token::kSubRefresh,
                                          .subscription = channel->handle});
  effects.verify(step, auth::TokenUse::kSubscribe, std::string(request.token));
}

void CentrifugeAdapter::sub_refresh_verified(const PendingRequest& request,
                                             auth::TokenResult result, session::Effects& effects) {
  using session::EndReason;
  Channel* channel = find(request.subscription);
  if (channel == nullptr)
    return refuse(request.command, wire::ErrorCode::kPermissionDenied, effects);
  if (!result) {
    if (result.error() == auth::TokenError::kUnavailable)
      return refuse(request.command, wire::ErrorCode::kInternal, effects);
    const bool late = result.error() == auth::TokenError::kExpired;
    return effects.end(late ? EndReason::kSubscriptionExpired : EndReason::kUnauthorized);
  }
  auth::Claims& claims = *result;
  if (!is_for(claims, *channel)) return effects.end(EndReason::kUnauthorized);
  if (claims.expires_at && expired(*claims.expires_at, effects))
    return effects.end(EndReason::kSubscriptionExpired);
  effects.renew(channel->handle);
  set_terms(*channel, {.info = codec::json::to_embeddable(std::move(claims.grant.info)),
                       .expires_at = claims.expires_at.value_or(0),
                       .allow = claims.grant.allow});
  review_joins(*channel, effects);
  watch_deadlines(effects);
  wire::SubRefreshResult body;
  body.expires = claims.expires_at.has_value();
  if (body.expires) body.ttl = ttl(*claims.expires_at, effects);
  reply(request.command, body, effects);
}

// Wakes up when the first thing is due.
void CentrifugeAdapter::watch_deadlines(session::Effects& effects) {
  const Now& now = effects.now();
  std::optional<Duration> first;
  const auto due = [&first](Duration left) { first = std::min(first.value_or(left), left); };
  if (account_ && account_->expires_at != 0)
    due(time_left(account_->expires_at, context_.options.expired_close_delay, now));
  for (const Channel& channel : channels_) {
    if (channel.leaving()) due(channel.joining->leave_by - now.mono);
    if (channel.terms && channel.terms->expires_at != 0)
      due(time_left(channel.terms->expires_at, context_.options.expired_sub_close_delay, now));
  }
  if (!first) return effects.cancel_timer(session::TimerId::kOther);
  effects.set_timer(session::TimerId::kOther, std::max(*first, Duration(0)));
}

void CentrifugeAdapter::expire(session::Effects& effects) {
  using session::EndReason;
  const Now& now = effects.now();
  const auto over = [&now](int64_t expires_at, seconds grace) {
    return expires_at != 0 && time_left(expires_at, grace, now) <= Duration(0);
  };
  if (account_ && over(account_->expires_at, context_.options.expired_close_delay))
    return effects.end(EndReason::kExpired);
  for (size_t i = channels_.size(); i-- > 0;) {
    Channel& channel = channels_[i];
    if (channel.leaving() && channel.joining->leave_by <= now.mono)
      return effects.end(EndReason::kInternalError);
    if (channel.joining || !channel.terms ||
        !over(channel.terms->expires_at, context_.options.expired_sub_close_delay))
      continue;
    if (channel.server_side) return effects.end(EndReason::kSubscriptionExpired);
    push(channel.name, wire::to_push(wire::UnsubscribeCode::kExpired), effects);
    drop(channel, effects);
  }
  watch_deadlines(effects);
}

}  // namespace parley::adapter::centrifuge
