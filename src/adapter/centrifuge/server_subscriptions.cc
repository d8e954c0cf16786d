// Subscriptions that the server makes: at connect, before its reply.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/meters.h"
#include "adapter/centrifuge/subscribe_reply.h"
#include "codec/json/embed.h"

namespace parley::adapter::centrifuge {

Channel& CentrifugeAdapter::add_server_side(std::string_view name) {
  Channel& channel = channels_.emplace_back();
  channel.name = name;
  channel.server_side = true;
  channel.joining = std::make_unique<Joining>();
  return channel;
}

// What the token says, and the user's own channel. Returns why the connect fails, if it does.
std::optional<wire::ErrorCode> CentrifugeAdapter::start_server_side(std::vector<auth::Grant> grants,
                                                                    session::Effects& effects) {
  if (std::string personal = context_.access.personal_channel(who());
      !personal.empty() &&
      std::ranges::find(grants, personal, &auth::Grant::channel) == grants.end())
    grants.push_back({.channel = std::move(personal)});
  for (auth::Grant& grant : grants) {
    if (find(grant.channel) != nullptr) continue;
    if (!context_.access.has_name(grant.channel)) return wire::ErrorCode::kBadRequest;
    const auto options = context_.rules.find(grant.channel);
    if (!options) return wire::ErrorCode::kUnknownChannel;
    if (channels_.size() >= context_.options.channel_limit) {
      effects.end(session::EndReason::kLimit);
      return std::nullopt;
    }
    Channel& channel = add_server_side(grant.channel);
    set_terms(channel, {.info = codec::json::to_embeddable(std::move(grant.info))});
    channel.joining->data = std::move(grant.data);
    auto& wishes = connecting_->wishes;
    const auto wish =
        std::ranges::find(wishes, grant.channel, &std::pair<std::string, Wish>::first);
    if (wish != wishes.end()) channel.joining->wish = wish->second;
    join(channel, *options, grant.overrides, effects);
  }
  return std::nullopt;
}

// What else the client says it had from the server before: it gets what it could subscribe to by
// itself. Returns whether the connect goes on.
bool CentrifugeAdapter::honour_wishes(session::Effects& effects) {
  for (const auto& [name, wish] : connecting_->wishes) {
    if (find(name) != nullptr) continue;
    const auth::Verdict verdict = check(name, auth::Verb::kSubscribe);
    const auto options = context_.rules.find(name);
    if (!options || verdict == auth::Verdict::kUnknownChannel) {
      bad_request(effects);
      return false;
    }
    if (verdict != auth::Verdict::kAllow) continue;
    if (channels_.size() >= context_.options.channel_limit) {
      effects.end(session::EndReason::kLimit);
      return false;
    }
    Channel& channel = add_server_side(name);
    channel.joining->wish = wish;
    channel.by_caps = owes_to_caps(name, auth::Verb::kSubscribe, {});
    join(channel, *options, {}, effects);
  }
  return true;
}

void CentrifugeAdapter::connect_subscribed(Channel& channel,
                                           std::expected<hub::Subscribed, hub::HubError> result,
                                           session::Effects& effects) {
  if (!result) return refuse_connect(error_code(result.error()), effects);
  connecting_->subscribed.emplace_back(channel.handle, std::move(*result));
  if (connecting_->subscribed.size() == channels_.size()) finish_connect(effects);
}

void CentrifugeAdapter::reply_connected(uint32_t id, Connecting& connecting,
                                        session::Effects& effects) {
  const seconds interval = context_.options.ping_interval;
  const std::string client = to_string(client_);
  wire::ConnectResult result{.client = client, .version = context_.options.version};
  if (interval.count() > 0) {
    result.ping = static_cast<uint32_t>(interval.count());
    result.pong = !one_way_;
  }
  if (session_) result.session = *session_;
  if (session_ && !one_way_) result.node = context_.options.node;
  if (account_ && account_->expires_at != 0) {
    result.expires = true;
    result.ttl = ttl(account_->expires_at, effects);
  }
  if (context_.options.include_server_time) result.time = effects.now().wall;

  // All that was missed stands in the one reply, as far as it fits, also encoded; the rest follows.
  for (const size_t room : {std::min(effects.room(), context_.options.reply_bytes) / 2, size_t{0}})
    if (try_connected(id, result, connecting, room, effects)) return;
  effects.end(session::EndReason::kLimit);
}

bool CentrifugeAdapter::try_connected(uint32_t id, wire::ConnectResult result,
                                      Connecting& connecting, size_t room,
                                      session::Effects& effects) {
  std::vector<std::unique_ptr<SubscribeReply>> replies;
  std::vector<wire::ConnectResult::Sub> subs;
  for (auto& [handle, subscribed] : connecting.subscribed) {
    const Channel& channel = *find(handle);
    auto& reply = replies.emplace_back(std::make_unique<SubscribeReply>(
        *codec_, channel, subscribed, effects, context_.options.reply_bytes / 2, room));
    room -= reply->missed_bytes();
    subs.emplace_back(channel.name, reply->body());
  }
  result.subs = subs;
  if (!try_reply(id, result, effects)) return false;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (find(connecting.subscribed[i].first)->joining->wish.recover)
      meters::count_recovery(replies[i]->recovered());
    replies[i]->follow(effects);
  }
  return true;
}

}  // namespace parley::adapter::centrifuge
