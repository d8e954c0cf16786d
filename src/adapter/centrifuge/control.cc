// What the application's backend wants of a client.
#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/subscribe_reply.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::on_control(const hub::Control& control, session::Effects& effects) {
  switch (control.kind) {
    case hub::Control::Kind::kSubscribe:
      return control_subscribe(control, effects);
    case hub::Control::Kind::kUnsubscribe:
      return control_unsubscribe(control.channel, effects);
    case hub::Control::Kind::kRefresh:
      return control_refresh(control, effects);
    case hub::Control::Kind::kDisconnect:
    case hub::Control::Kind::kSupersede:
    case hub::Control::Kind::kBlock:
    case hub::Control::Kind::kUnblock:
    case hub::Control::Kind::kRevoke:
    case hub::Control::Kind::kInvalidate:
    case hub::Control::Kind::kList:
      return;  // the session's matter
  }
}

// Who has the channel already keeps it as it is.
void CentrifugeAdapter::control_subscribe(const hub::Control& control, session::Effects& effects) {
  const auto options = context_.rules.find(control.channel);
  const bool late = control.expire_at != 0 && expired(control.expire_at, effects);
  if (!options || late || find(control.channel) != nullptr) return;
  if (channels_.size() >= context_.options.channel_limit)
    return effects.end(session::EndReason::kLimit);
  Channel& channel = add_server_side(control.channel);
  set_terms(channel, {.info = control.info.value_or(Buffer()), .expires_at = control.expire_at});
  channel.joining->data = control.data;
  if (control.recover_since)
    channel.joining->wish = {.offset = control.recover_since->offset,
                             .epoch = hub::parse_epoch(control.recover_since->epoch),
                             .recover = true};
  join(channel, *options,
       {.presence = control.overrides.presence,
        .join_leave = control.overrides.join_leave,
        .force_push_join_leave = control.overrides.force_push_join_leave,
        .force_positioning = control.overrides.force_positioning,
        .force_recovery = control.overrides.force_recovery},
       effects);
}

// The push has no room for what was missed: it follows as publications.
void CentrifugeAdapter::push_subscribed(const Channel& channel, const hub::Subscribed& result,
                                        session::Effects& effects) {
  SubscribeReply told(*codec_, channel, result, effects, SIZE_MAX, 0);
  const wire::SubscribeResult& body = told.body();
  push(channel.name,
       wire::SubscribePush{.recoverable = body.recoverable,
                           .epoch = body.epoch,
                           .offset = body.offset,
                           .positioned = body.positioned,
                           .data = body.data},
       effects);
  told.follow(effects);
}

// The client is told whether or not it was subscribed, as Centrifugo does.
void CentrifugeAdapter::control_unsubscribe(const std::string& name, session::Effects& effects) {
  if (Channel* channel = find(name)) return revoke(*channel, effects);
  push(name, wire::to_push(wire::UnsubscribeCode::kServer), effects);
}

void CentrifugeAdapter::revoke(Channel& channel, session::Effects& effects) {
  if (channel.joining) {
    channel.joining->revoked = true;
    return;
  }
  const std::string name = channel.name;
  drop(channel, effects);
  push(name, wire::to_push(wire::UnsubscribeCode::kServer), effects);
}

void CentrifugeAdapter::control_refresh(const hub::Control& control, session::Effects& effects) {
  const bool expires = control.expire_at > 0;
  if (control.expired || (expires && expired(control.expire_at, effects)))
    return effects.end(session::EndReason::kExpired);
  if (!account_) account_ = std::make_unique<Account>();
  account_->expires_at = expires ? control.expire_at : 0;
  if (control.info) account_->who.info = *control.info;
  watch_deadlines(effects);
  wire::RefreshPush body;
  body.expires = expires;
  if (expires) body.ttl = ttl(control.expire_at, effects);
  push("", body, effects);
}

}  // namespace parley::adapter::centrifuge
