// Subscriptions: from the command to the reply, recovery, joins and leaves, gaps.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/meters.h"
#include "adapter/centrifuge/subscribe_reply.h"
#include "codec/json/embed.h"

namespace parley::adapter::centrifuge {
namespace {

bool known_delta(std::string_view name) { return name.empty() || name == "fossil"; }

wire::ErrorCode subscribe_error(auth::TokenError error) {
  switch (error) {
    case auth::TokenError::kExpired:
      return wire::ErrorCode::kTokenExpired;
    case auth::TokenError::kUnavailable:
      return wire::ErrorCode::kInternal;
    case auth::TokenError::kInvalid:
    case auth::TokenError::kUnknownKey:
    case auth::TokenError::kBlocked:
    case auth::TokenError::kRevoked:
      break;
  }
  return wire::ErrorCode::kPermissionDenied;
}

}  // namespace

Channel* CentrifugeAdapter::find(std::string_view name) {
  const auto known = [name](const Channel& c) { return c.name == name && !c.leaving(); };
  const auto found = std::ranges::find_if(channels_, known);
  return found == channels_.end() ? nullptr : &*found;
}

Channel* CentrifugeAdapter::find(session::SubscriptionHandle handle) {
  const auto found = std::ranges::find(channels_, handle, &Channel::handle);
  return found == channels_.end() ? nullptr : &*found;
}

Channel* CentrifugeAdapter::find_verifying(hub::StepId step) {
  const auto waits = [step](const Channel& c) {
    return c.joining && c.joining->verification == step;
  };
  const auto found = std::ranges::find_if(channels_, waits);
  return found == channels_.end() ? nullptr : &*found;
}

std::optional<wire::ErrorCode> CentrifugeAdapter::refusal(
    const wire::SubscribeRequest& request, const hub::ChannelOptions* options) const {
  if (options == nullptr) return wire::ErrorCode::kUnknownChannel;
  // A token may still turn out to be worth nothing.
  const auth::Verdict verdict =
      check(request.channel, auth::Verb::kSubscribe, {.token = !request.token.empty()});
  if (verdict != auth::Verdict::kAllow) return error_code(verdict);
  // All channels are streams: the request must be for one.
  if (request.type != 0) return wire::ErrorCode::kPermissionDenied;
  return std::nullopt;
}

void CentrifugeAdapter::handle(uint32_t id, const wire::SubscribeRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty() || !known_delta(request.delta)) return bad_request(effects);
  if (request.channel.size() > auth::kMaxChannelLength)
    return refuse(id, wire::ErrorCode::kBadRequest, effects);
  if (find(request.channel) != nullptr)
    return refuse(id, wire::ErrorCode::kAlreadySubscribed, effects);
  if (channels_.size() >= context_.options.channel_limit)
    return refuse(id, wire::ErrorCode::kLimitExceeded, effects);
  const auto options = context_.rules.find(request.channel);
  if (const auto code = refusal(request, options.get())) return refuse(id, *code, effects);

  auto filter = filter_of(request, *options);
  if (!filter) return refuse(id, filter.error(), effects);
  Channel& channel = channels_.emplace_back();
  channel.name = request.channel;
  channel.joining = std::make_unique<Joining>();
  channel.joining->command = id;
  channel.joining->wish = to_wish(request);
  channel.joining->filter = std::move(*filter);
  if (request.token.empty()) {
    channel.by_caps = owes_to_caps(channel.name, auth::Verb::kSubscribe, {});
    return join(channel, *options, {}, effects);
  }
  const hub::StepId step =
      requests_.add({.command = id, .token = PendingRequest::Token::kSubscribe});
  channel.joining->verification = step;
  effects.verify(step, auth::TokenUse::kSubscribe, std::string(request.token));
}

void CentrifugeAdapter::token_verified(Channel& channel, auth::TokenResult result,
                                       session::Effects& effects) {
  channel.joining->verification.reset();
  if (!result) return give_up(channel, subscribe_error(result.error()), effects);
  auth::Claims& claims = *result;
  if (!is_for(claims, channel)) return effects.end(session::EndReason::kUnauthorized);
  if (claims.expires_at && expired(*claims.expires_at, effects))
    return give_up(channel, wire::ErrorCode::kExpired, effects);
  const auto options = context_.rules.find(channel.name);
  if (!options) return give_up(channel, wire::ErrorCode::kUnknownChannel, effects);
  set_terms(channel, {.info = codec::json::to_embeddable(std::move(claims.grant.info)),
                      .expires_at = claims.expires_at.value_or(0),
                      .allow = claims.grant.allow});
  channel.joining->data = std::move(claims.grant.data);
  join(channel, *options, claims.grant.overrides, effects);
}

bool CentrifugeAdapter::is_for(const auth::Claims& claims, const Channel& channel) const {
  return claims.grant.channel == channel.name && claims.user == who().user &&
         (claims.client.empty() || claims.client == to_string(client_));
}

void CentrifugeAdapter::set_terms(Channel& channel, Terms terms) {
  channel.terms.reset();
  if (!terms.info.empty() || terms.expires_at != 0 || !terms.allow.empty())
    channel.terms = std::make_unique<Terms>(std::move(terms));
}

// What the namespace does not force, those may ask for who may read the history anyway.
void CentrifugeAdapter::join(Channel& channel, const hub::ChannelOptions& options,
                             const auth::SubscribeOverride& overrides, session::Effects& effects) {
  Joining& joining = *channel.joining;
  const Wish& wish = joining.wish;
  // What subscribers may is meant for this one too: it is about to be.
  auth::Standing member{.subscribed = true};
  if (channel.terms) member.allow = channel.terms->allow;
  const auto may = [&](auth::Verb verb) {
    return check(channel.name, verb, member) == auth::Verdict::kAllow;
  };
  const bool may_read =
      (wish.positioned || wish.recoverable) && options.has_history() && may(auth::Verb::kHistory);
  joining.recoverable =
      overrides.force_recovery.value_or(options.recoverable) ||
      (wish.recoverable && ((options.allow_recoverable && options.has_history()) || may_read));
  channel.positioned = joining.recoverable ||
                       overrides.force_positioning.value_or(options.positioned) ||
                       (wish.positioned && (options.allow_positioned || may_read));
  const bool told = overrides.force_push_join_leave.value_or(options.force_push_join_leave);
  joining.join_leave = told || (wish.join_leave && may(auth::Verb::kJoinLeave));
  channel.joins_by_caps =
      !told && joining.join_leave && owes_to_caps(channel.name, auth::Verb::kJoinLeave, member);
  joining.manner = {.listed = overrides.presence.value_or(options.presence),
                    .announced = overrides.join_leave.value_or(options.join_leave)};
  joining.recovery = recovery_of(wish, options, joining.recoverable);
  joining.shape = shape_of(wish, options);
  joining.shape.compact = joining.shape.compact && codec_->compacts();
  // The shard may still hold more than history keeps. Whether a client recovers must not hang on
  // that.
  const uint32_t limit = std::min(context_.options.recovery_limit, options.history_size);
  const hub::Start start = start_of(joining.recovery, joining.filter != nullptr, limit);
  channel.handle = effects.subscribe({.name = channel.name}, start,
                                     to_variant(joining.shape, std::move(joining.filter), *codec_));
}

void CentrifugeAdapter::on_subscribed(session::SubscriptionHandle handle,
                                      std::expected<hub::Subscribed, hub::HubError> result,
                                      session::Effects& effects) {
  Channel* channel = find(handle);
  if (channel == nullptr) {
    // Joins and leaves: nobody waits for that, but without them there is nothing to drop later.
    const auto told = std::ranges::find(channels_, handle, &Channel::presence_handle);
    if (told != channels_.end() && !result) told->presence_handle = 0;
    return;
  }
  if (connecting_) return connect_subscribed(*channel, std::move(result), effects);
  if (!result) return give_up(*channel, error_code(result.error()), effects);
  const bool kept = tell_subscribed(*channel, *result, effects);
  const std::unique_ptr<Joining> joining = std::move(channel->joining);
  if (!kept || joining->unsubscribe_command != 0 || joining->revoked) {
    const std::string name = channel->name;
    drop(*channel, effects);
    told_off(name, *joining, effects);
  } else {
    settle(*channel, *joining, effects);
    if (channel->terms) watch_deadlines(effects);
  }
}

void CentrifugeAdapter::give_up(Channel& channel, wire::ErrorCode code, session::Effects& effects) {
  const std::unique_ptr<Joining> joining = std::move(channel.joining);
  const std::string name = std::move(channel.name);
  channels_.erase(channels_.begin() + (&channel - channels_.data()));
  if (joining->command != 0) refuse(joining->command, code, effects);
  told_off(name, *joining, effects);
}

void CentrifugeAdapter::told_off(const std::string& name, const Joining& joining,
                                 session::Effects& effects) {
  if (joining.unsubscribe_command != 0) {
    reply(joining.unsubscribe_command, wire::UnsubscribeResult{}, effects);
    watch_deadlines(effects);
  } else if (joining.revoked) {
    push(name, wire::to_push(wire::UnsubscribeCode::kServer), effects);
  }
}

// Returns whether the client is subscribed now.
bool CentrifugeAdapter::tell_subscribed(const Channel& channel, const hub::Subscribed& result,
                                        session::Effects& effects) {
  const Joining& joining = *channel.joining;
  if (joining.command == 0) {
    push_subscribed(channel, result, effects);
    return true;
  }
  const bool recovering = joining.recovery.mode != Recovery::Mode::kNone;
  // Encoded, what was missed may be several times what it counts: then all of it follows the reply.
  for (const size_t room : {effects.room() / 2, size_t{0}}) {
    SubscribeReply told(*codec_, channel, result, effects, context_.options.reply_bytes / 2, room);
    if (recovering && !told.recovered() && joining.wish.reject_unrecovered) {
      meters::count_recovery(false);
      refuse(joining.command, wire::ErrorCode::kUnrecoverablePosition, effects);
      return false;
    }
    if (channel.terms && channel.terms->expires_at != 0) {
      told.body().expires = true;
      told.body().ttl = ttl(channel.terms->expires_at, effects);
    }
    if (!try_reply(joining.command, told.body(), effects)) continue;
    if (recovering) meters::count_recovery(told.recovered());
    told.follow(effects);
    return true;
  }
  refuse(joining.command, wire::ErrorCode::kLimitExceeded, effects);
  return false;
}

// The reply goes first, and the client hears its own join.
void CentrifugeAdapter::settle(Channel& channel, const Joining& joining,
                               session::Effects& effects) {
  if (joining.join_leave)
    channel.presence_handle = effects.subscribe({channel.name, hub::Aspect::kPresence}, {});
  if (joining.manner == hub::PresenceManner{false, false}) return;
  effects.enter_presence(channel.handle, client_info(&channel), joining.manner);
}

void CentrifugeAdapter::drop(Channel& channel, session::Effects& effects) {
  if (channel.presence_handle != 0) effects.unsubscribe(channel.presence_handle);
  effects.unsubscribe(channel.handle);
  channels_.erase(channels_.begin() + (&channel - channels_.data()));
}

void CentrifugeAdapter::handle(uint32_t id, const wire::UnsubscribeRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty()) return bad_request(effects);
  if (Channel* channel = find(request.channel)) {
    if (channel->joining) {
      channel->joining->unsubscribe_command = id;
      channel->joining->leave_by = effects.now().mono + context_.options.unsubscribe_wait;
      return watch_deadlines(effects);
    }
    drop(*channel, effects);
  }
  reply(id, wire::UnsubscribeResult{}, effects);
}

// Who counts on positions starts anew from what it has. For others, and for joins and leaves, which
// promise nothing, what follows the gap is as good; and so is the newest state for everybody: a
// client that came back for those in between would be given what its channel is there to skip.
void CentrifugeAdapter::on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
                               session::Effects& effects) {
  Channel* channel = find(handle);
  if (channel == nullptr || !channel->positioned) return;
  if (gap.reason == hub::GapReason::kConflated) return;
  if (channel->server_side) return effects.end(session::EndReason::kInsufficientState);
  push(channel->name, wire::to_push(wire::UnsubscribeCode::kInsufficientState), effects);
  drop(*channel, effects);
}

}  // namespace parley::adapter::centrifuge
