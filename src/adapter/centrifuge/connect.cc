// Who comes, and whether the client is still there: connect, refresh, pings.
#include "adapter/centrifuge/adapter.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::handle(uint32_t id, const wire::ConnectRequest& request,
                               session::Effects& effects) {
  if (!context_.access.anonymous_may_connect()) {
    // There is no verifier, so no token is a valid one.
    return effects.end(request.token.empty() ? session::EndReason::kBadRequest
                                             : session::EndReason::kUnauthorized);
  }
  client_ = uuid4(effects.ids());
  effects.identify();
  effects.cancel_timer(session::TimerId::kHandshake);
  const seconds interval = context_.options.ping_interval;
  const std::string client = to_string(client_);
  wire::ConnectResult result{.client = client, .version = context_.options.version};
  if (interval.count() > 0) {
    result.ping = static_cast<uint32_t>(interval.count());
    result.pong = true;
    // Clients that came together are not pinged together.
    effects.set_timer(session::TimerId::kPing, effects.random_between(interval / 2, interval));
  }
  reply(id, result, effects);
}

// Without tokens nothing expires, so there is nothing to refresh.
void CentrifugeAdapter::handle(uint32_t, const wire::RefreshRequest& request,
                               session::Effects& effects) {
  effects.end(request.token.empty() ? session::EndReason::kBadRequest
                                    : session::EndReason::kUnauthorized);
}

void CentrifugeAdapter::handle(uint32_t id, const wire::SubRefreshRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty()) return bad_request(effects);
  const Channel* channel = find(request.channel);
  const bool subscribed = channel != nullptr && !channel->joining;
  if (subscribed && (request.token.empty() || request.type != 0))
    return refuse(id, wire::ErrorCode::kBadRequest, effects);
  refuse(id, wire::ErrorCode::kPermissionDenied, effects);
}

void CentrifugeAdapter::on_timer(session::TimerId timer, session::Effects& effects) {
  switch (timer) {
    case session::TimerId::kHandshake:
      return effects.end(session::EndReason::kStale);
    case session::TimerId::kPong:
      return effects.end(session::EndReason::kNoPong);
    case session::TimerId::kPing:
      break;
    case session::TimerId::kOther:
      return;
  }
  Buffer& ping = effects.scratch();
  codec_->append_ping(ping);
  effects.send_urgent(ping);
  awaiting_pong_ = true;
  effects.set_timer(session::TimerId::kPong, context_.options.pong_timeout);
  effects.set_timer(session::TimerId::kPing, context_.options.ping_interval);
}

// Exactly one for each ping.
void CentrifugeAdapter::handle(uint32_t, const wire::Pong&, session::Effects& effects) {
  if (!awaiting_pong_) return bad_request(effects);
  awaiting_pong_ = false;
  effects.cancel_timer(session::TimerId::kPong);
}

}  // namespace parley::adapter::centrifuge
