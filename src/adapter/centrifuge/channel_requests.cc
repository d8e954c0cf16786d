// What clients ask about channels without being subscribed: publish, history, presence.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "adapter/centrifuge/codes.h"
#include "adapter/centrifuge/wire_publication.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::handle(uint32_t id, const wire::PublishRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty()) return bad_request(effects);
  auto options = context_.rules.find(request.channel);
  if (!options) return refuse(id, wire::ErrorCode::kUnknownChannel, effects);
  const Channel* channel = find(request.channel);
  const auth::Standing held = standing(channel);
  const auth::Verdict verdict = check(request.channel, auth::Verb::kPublish, held);
  if (verdict != auth::Verdict::kAllow) return refuse(id, error_code(verdict), effects);
  if (request.data.empty() || request.type != 0)
    return refuse(id, wire::ErrorCode::kBadRequest, effects);

  // While its subscribe is in flight, the reply to that must go first, so it waits for nothing.
  const bool subscribed = held.subscribed;
  const hub::StepId step =
      requests_.add({.command = id, .subscription = subscribed ? channel->handle : 0});
  hub::PublishRecord& record = effects.publish(step);
  record.channel.name = request.channel;
  record.publication = std::make_shared<hub::Publication>();
  record.publication->data = Buffer(request.data);
  record.publication->kind = codec_->kind_of(request.data);
  record.publication->publisher = publisher(subscribed ? channel : nullptr);
  record.principal = who().user;
  record.ack = options->level;
  record.options = std::move(options);
  record.metered = true;
}

void CentrifugeAdapter::on_published(hub::StepId step, const hub::Published& published,
                                     session::Effects& effects) {
  answer(requests_.take(step), published, effects);
}

// The publisher sees its publication before the reply.
void CentrifugeAdapter::answer(const PendingRequest& request, const hub::Published& published,
                               session::Effects& effects) {
  Buffer& out = effects.scratch();
  codec_->append_reply(out, request.command, wire::PublishResult{});
  effects.send_after(request.subscription, published.position.offset, out);
}

void CentrifugeAdapter::handle(uint32_t id, const wire::HistoryRequest& request,
                               session::Effects& effects) {
  if (request.channel.empty()) return bad_request(effects);
  const auto options = context_.rules.find(request.channel);
  if (!options) return refuse(id, wire::ErrorCode::kUnknownChannel, effects);
  if (!options->has_history()) return refuse(id, wire::ErrorCode::kNotAvailable, effects);
  const auth::Verdict verdict =
      check(request.channel, auth::Verb::kHistory, standing(find(request.channel)));
  if (verdict != auth::Verdict::kAllow) return refuse(id, error_code(verdict), effects);

  const uint32_t most = context_.options.history_limit;
  hub::ReadQuery query{
      .limit = request.limit < 0 ? most : std::min(most, static_cast<uint32_t>(request.limit)),
      .max_bytes = context_.options.reply_bytes / 2,
      .reverse = request.reverse};
  PendingRequest pending{.command = id};
  if (request.since) {
    if (request.reverse && request.since->offset == 0)
      return refuse(id, wire::ErrorCode::kBadRequest, effects);
    query.since = request.since->offset;
    if (!request.since->epoch.empty())
      pending.epoch =
          std::make_unique<const std::optional<hub::Epoch>>(hub::parse_epoch(request.since->epoch));
  }
  effects.history(requests_.add(std::move(pending)), std::string(request.channel), query);
}

void CentrifugeAdapter::answer(const PendingRequest& request, const hub::ReadPage& page,
                               session::Effects& effects) {
  const bool same_stream =
      !request.epoch || (*request.epoch && (*request.epoch)->same_incarnation(page.epoch));
  if (!same_stream)
    return refuse(request.command, wire::ErrorCode::kUnrecoverablePosition, effects);
  const WirePublications publications(*codec_, page.publications);
  const std::string epoch = hub::to_string(page.epoch);
  reply(request.command,
        wire::HistoryResult{.publications = publications.all(), .epoch = epoch, .offset = page.top},
        effects);
}

void CentrifugeAdapter::start_presence(uint32_t id, std::string_view channel, bool counts_only,
                                       session::Effects& effects) {
  if (channel.empty()) return bad_request(effects);
  const auto options = context_.rules.find(channel);
  if (!options) return refuse(id, wire::ErrorCode::kUnknownChannel, effects);
  if (!options->presence) return refuse(id, wire::ErrorCode::kNotAvailable, effects);
  const auth::Verdict verdict = check(channel, auth::Verb::kPresence, standing(find(channel)));
  if (verdict != auth::Verdict::kAllow) return refuse(id, error_code(verdict), effects);
  effects.presence(requests_.add({.command = id}), std::string(channel), counts_only);
}

void CentrifugeAdapter::handle(uint32_t id, const wire::PresenceRequest& request,
                               session::Effects& effects) {
  start_presence(id, request.channel, false, effects);
}

void CentrifugeAdapter::handle(uint32_t id, const wire::PresenceStatsRequest& request,
                               session::Effects& effects) {
  start_presence(id, request.channel, true, effects);
}

void CentrifugeAdapter::answer(const PendingRequest& request, const hub::PresenceSnapshot& snapshot,
                               session::Effects& effects) {
  // The reply would be larger still: it is not even built.
  if (snapshot.bytes > context_.options.reply_bytes)
    return refuse(request.command, wire::ErrorCode::kLimitExceeded, effects);
  std::vector<wire::PresenceResult::Entry> entries;
  entries.reserve(snapshot.members().size());
  for (const hub::ClientInfo& member : snapshot.members())
    entries.emplace_back(member.client, to_wire(member));
  reply(request.command, wire::PresenceResult{entries}, effects);
}

void CentrifugeAdapter::answer(const PendingRequest& request, const hub::PresenceCounts& counts,
                               session::Effects& effects) {
  reply(request.command,
        wire::PresenceStatsResult{static_cast<uint32_t>(counts.clients),
                                  static_cast<uint32_t>(counts.users)},
        effects);
}

}  // namespace parley::adapter::centrifuge
