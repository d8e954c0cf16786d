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

}  // namespace

SubscribeReply::SubscribeReply(const Codec& codec, const Channel& channel,
                               const hub::Subscribed& result, size_t most, size_t room)
    : epoch_(hub::to_string(result.top.epoch)),
      missed_(codec, result.recovered && cost_of(result.missed) <= std::min(most, room)
                         ? std::span(result.missed)
                         : std::span<const hub::PublicationPtr>()) {
  const Joining& joining = *channel.joining;
  const size_t bytes = cost_of(result.missed);
  body_.recovered = result.recovered && bytes <= most;
  if (channel.positioned) {
    body_.positioned = true;
    body_.recoverable = joining.recoverable;
    body_.epoch = epoch_;
    // The client itself advances from its own offset through the publications.
    body_.offset = body_.recovered ? joining.wish.offset : result.top.offset;
  }
  body_.was_recovering = joining.wish.recover;
  // Many subscribes recover at once. What does not fit beside the replies that wait already comes
  // behind its reply, as publications: too many replies would end a client that does read.
  rewinds_ = body_.recovered && bytes > room;
  body_.publications = missed_.all();
  if (!missed_.all().empty()) missed_bytes_ = bytes;
  if (joining.data.empty()) return;
  data_.kind = kind_of(joining.data);
  data_.data = joining.data;
  body_.data = codec.content(data_, data_room_);
}

}  // namespace parley::adapter::centrifuge
