// Subscriptions: from the command to the reply, recovery, joins and leaves, gaps.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/meters.h"
#include "adapter/centrifuge/wire_publication.h"

namespace parley::adapter::centrifuge {
namespace {

bool known_delta(std::string_view name) { return name.empty() || name == "fossil"; }

}  // namespace

CentrifugeAdapter::Channel* CentrifugeAdapter::find(std::string_view name) {
  const auto known = [name](const Channel& c) { return c.name == name && !c.leaving(); };
  const auto found = std::ranges::find_if(channels_, known);
  return found == channels_.end() ? nullptr : &*found;
}

CentrifugeAdapter::Channel* CentrifugeAdapter::find(session::SubscriptionHandle handle) {
  const auto found = std::ranges::find(channels_, handle, &Channel::handle);
  return found == channels_.end() ? nullptr : &*found;
}

std::optional<wire::ErrorCode> CentrifugeAdapter::refusal(
    const wire::SubscribeRequest& request, const hub::ChannelOptions* options) const {
  if (options == nullptr) return wire::ErrorCode::kUnknownChannel;
  const auth::Verdict verdict = check(request.channel, auth::Verb::kSubscribe);
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

  auto wish = stream_wish(request, *options);
  if (!wish) return refuse(id, wish.error(), effects);
  // What the namespace does not force, those may ask for who may read the history anyway.
  const bool may_ask = options->has_history() &&
                       check(request.channel, auth::Verb::kHistory) == auth::Verdict::kAllow;
  const bool recoverable = options->recoverable || (request.recoverable && may_ask);
  const bool positioned = recoverable || options->positioned || (request.positioned && may_ask);
  const Recovery recovery = recovery_of(request, *options, recoverable);
  hub::Start start = start_of(recovery, wish->filter != nullptr, context_.options.recovery_limit);
  Channel& channel = channels_.emplace_back();
  channel.name = request.channel;
  channel.positioned = positioned;
  channel.joining = std::make_unique<Joining>(Joining{
      .command = id,
      .recovery = recovery,
      .recoverable = recoverable,
      .reject_unrecovered = (request.flag & wire::SubscribeRequest::kFlagRejectUnrecovered) != 0,
      .join_leave = request.join_leave && options->join_leave &&
                    check(request.channel, auth::Verb::kPresence) == auth::Verdict::kAllow,
      .shape = wish->shape});
  channel.handle = effects.subscribe({.name = channel.name}, std::move(start),
                                     to_variant(std::move(*wish), *codec_));
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
  if (result) return subscribed(*channel, *result, effects);
  const Joining joining = *channel->joining;
  const std::string name = std::move(channel->name);
  channels_.erase(channels_.begin() + (channel - channels_.data()));
  refuse(joining.command, error_code(result.error()), effects);
  if (joining.unsubscribe_command != 0)
    reply(joining.unsubscribe_command, wire::UnsubscribeResult{}, effects);
  if (joining.revoked) push_unsubscribe(name, wire::UnsubscribeCode::kServer, effects);
}

void CentrifugeAdapter::subscribed(Channel& channel, const hub::Subscribed& result,
                                   session::Effects& effects) {
  const bool kept = reply_subscribed(channel, result, effects);
  const std::unique_ptr<Joining> joining = std::move(channel.joining);
  if (joining->unsubscribe_command != 0) {
    drop(channel, effects);
    reply(joining->unsubscribe_command, wire::UnsubscribeResult{}, effects);
  } else if (!kept || joining->revoked) {
    const std::string name = channel.name;
    drop(channel, effects);
    if (joining->revoked) push_unsubscribe(name, wire::UnsubscribeCode::kServer, effects);
  } else {
    // The reply goes first, and the client hears its own join.
    if (joining->join_leave)
      channel.presence_handle = effects.subscribe({channel.name, hub::Aspect::kPresence}, {});
    become_present(channel, effects);
  }
}

// Returns whether the client is subscribed now.
bool CentrifugeAdapter::reply_subscribed(const Channel& channel, const hub::Subscribed& result,
                                         session::Effects& effects) {
  const Joining& joining = *channel.joining;
  const bool recovering = joining.recovery.mode != Recovery::Mode::kNone;
  const session::Variant* variant = effects.variant(channel.handle);
  const Missed missed =
      missed_of(joining.recovery, result, variant != nullptr ? variant->filter.get() : nullptr);
  // Missed publications come all or not at all, so too many bytes of them are none.
  size_t bytes = 0;
  for (const hub::PublicationPtr& publication : missed.publications) bytes += publication->cost();
  const bool recovered = missed.recovered && bytes <= context_.options.reply_bytes / 2;
  if (recovering) meters::count_recovery(recovered);
  if (recovering && !recovered && joining.reject_unrecovered) {
    refuse(joining.command, wire::ErrorCode::kUnrecoverablePosition, effects);
    return false;
  }
  // Many subscribes recover at once. What does not fit beside the replies that wait already comes
  // behind its reply, as publications: too many replies would end a client that does read.
  const bool inside = recovered && bytes <= effects.room() / 2;
  if (recovered && !inside) effects.rewind(channel.handle, missed.before);
  const bool delta = joining.shape.delta;
  const WirePublications list(
      *codec_, inside ? std::span(missed.publications) : std::span<hub::PublicationPtr>(), delta);
  wire::SubscribeResult body;
  const std::string epoch = hub::to_string(result.top.epoch);
  if (channel.positioned) {
    body.positioned = true;
    body.recoverable = joining.recoverable;
    body.epoch = epoch;
    body.offset = !recovered ? result.top.offset : inside ? missed.offset : missed.before;
  }
  body.was_recovering = recovering;
  body.recovered = recovered;
  body.publications = list.all();
  body.delta = delta;
  if (joining.shape.compact) body.id = effects.channel_number(channel.handle);
  reply(joining.command, body, effects);
  if (delta && !list.all().empty()) effects.sent(channel.handle, list.all().back().offset);
  return true;
}

void CentrifugeAdapter::become_present(const Channel& channel, session::Effects& effects) {
  const auto options = context_.rules.find(channel.name);
  if (!options || !options->presence) return;
  effects.enter_presence(channel.handle, client_info());
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
      return;
    }
    drop(*channel, effects);
  }
  reply(id, wire::UnsubscribeResult{}, effects);
}

// Who counts on positions starts anew from what it has. For others, and for joins and leaves, which
// promise nothing, what follows the gap is as good.
void CentrifugeAdapter::on_gap(session::SubscriptionHandle handle, const hub::Gap&,
                               session::Effects& effects) {
  Channel* channel = find(handle);
  if (channel == nullptr || !channel->positioned) return;
  push_unsubscribe(channel->name, wire::UnsubscribeCode::kInsufficientState, effects);
  drop(*channel, effects);
}

}  // namespace parley::adapter::centrifuge
