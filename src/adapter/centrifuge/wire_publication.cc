#include "adapter/centrifuge/wire_publication.h"

namespace parley::adapter::centrifuge {

wire::ClientInfo to_wire(const hub::ClientInfo& info) {
  return {info.user, info.client, info.connection_info, info.channel_info};
}

WirePublication::WirePublication(const Codec& codec, const hub::Publication& publication) {
  // JSON stands in every encoding as it is.
  publication_.data = publication.kind == hub::ContentKind::kJson
                          ? ByteView(publication.data)
                          : codec.content(publication, room().content);
  publication_.offset = publication.offset;
  if (publication.publisher) {
    info_ = to_wire(*publication.publisher);
    publication_.info = &info_;
  }
  if (publication.tags.empty()) return;
  room().tags.assign(publication.tags.begin(), publication.tags.end());
  publication_.tags = room().tags;
}

// One encoder for all of a thread: it keeps nothing between deltas but its memory.
bool WirePublication::become_delta(const Codec& codec, const hub::Publication& base) {
  static thread_local codec::fossil::Encoder encoder;
  Buffer content;
  Buffer& delta = room().delta;
  delta.clear();
  if (!encoder.encode(codec.content(base, content), publication_.data, codec.cuts(), delta))
    return false;
  publication_.data = delta;
  publication_.delta = true;
  return true;
}

LivePublication::LivePublication(const Codec& codec, const hub::LocalChannel& channel,
                                 const hub::Publication& publication)
    : publication_(codec, publication) {
  const hub::ChannelOptions& options = channel.options();
  if (!options.has_history() && !options.positioned && !options.recoverable) {
    publication_.get().offset = 0;
  } else if (publication.offset == 1) {
    epoch_ = to_string(publication.epoch);
    publication_.get().epoch = epoch_;
  }
}

WirePublications::WirePublications(const Codec& codec,
                                   std::span<const hub::PublicationPtr> publications, bool delta) {
  kept_.reserve(publications.size());
  all_.reserve(publications.size());
  const hub::Publication* before = nullptr;
  for (const hub::PublicationPtr& publication : publications) {
    WirePublication& made =
        *kept_.emplace_back(std::make_unique<WirePublication>(codec, *publication));
    made.get().data_as_string = delta;
    if (delta && before != nullptr) made.become_delta(codec, *before);
    before = publication.get();
    all_.push_back(made.get());
  }
}

}  // namespace parley::adapter::centrifuge
