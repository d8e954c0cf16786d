#include "adapter/centrifuge/subscribe_reply.h"

#include "base/utf8.h"
#include "codec/json/validate.h"

namespace parley::adapter::centrifuge {
namespace {

size_t cost_of(std::span<const hub::PublicationPtr> publications) {
  size_t bytes = 0;
  for (const hub::PublicationPtr& publication : publications) bytes += publication->cost();
  return bytes;
}

hub::ContentKind kind_of(ByteView data) {
  if (codec::json::is_valid(data)) return hub::ContentKind::kJson;
  return is_valid_utf8(data) ? hub::ContentKind::kText : hub::ContentKind::kBinary;
}

const session::TagsFilter* filter_in(const session::Effects& effects,
                                     session::SubscriptionHandle handle) {
  const session::Variant* variant = effects.variant(handle);
  return variant != nullptr ? variant->filter.get() : nullptr;
}

}  // namespace

SubscribeReply::SubscribeReply(const Codec& codec, const Channel& channel,
                               const hub::Subscribed& result, const session::Effects& effects,
                               size_t most, size_t room)
    : handle_(channel.handle),
      recovered_(missed_of(channel.joining->recovery, result, filter_in(effects, channel.handle))),
      cost_(cost_of(recovered_.publications)),
      epoch_(hub::to_string(result.top.epoch)),
      missed_(codec,
              recovered_.recovered && cost_ <= std::min(most, room)
                  ? std::span(recovered_.publications)
                  : std::span<hub::PublicationPtr>(),
              channel.joining->shape.delta) {
  const Joining& joining = *channel.joining;
  // Missed publications come all or not at all, so too many bytes of them are none. And many
  // subscribes recover at once: what does not fit beside the replies that wait already comes behind
  // its reply, as publications, for too many replies would end a client that does read.
  body_.recovered = recovered_.recovered && cost_ <= most;
  const bool inside = body_.recovered && cost_ <= room;
  if (channel.positioned) {
    body_.positioned = true;
    body_.recoverable = joining.recoverable;
    body_.epoch = epoch_;
    body_.offset = !body_.recovered ? result.top.offset
                   : inside         ? recovered_.offset
                                    : recovered_.before;
  }
  body_.was_recovering = joining.recovery.mode != Recovery::Mode::kNone;
  body_.publications = missed_.all();
  body_.delta = joining.shape.delta;
  if (joining.shape.compact) body_.id = effects.channel_number(channel.handle);
  if (inside) missed_bytes_ = cost_;
  if (joining.data.empty()) return;
  data_.kind = kind_of(joining.data);
  data_.data = joining.data;
  body_.data = codec.content(data_, data_room_);
}

void SubscribeReply::follow(session::Effects& effects) const {
  const bool inside = !body_.publications.empty();
  if (body_.recovered && !inside && !recovered_.publications.empty())
    effects.rewind(handle_, recovered_.before);
  if (body_.delta && inside) effects.sent(handle_, body_.publications.back().offset);
}

}  // namespace parley::adapter::centrifuge
