#include "adapter/centrifuge/wire_publication.h"

namespace parley::adapter::centrifuge {

wire::ClientInfo to_wire(const hub::ClientInfo& info) {
  return {info.user, info.client, info.connection_info, info.channel_info};
}

WirePublication::WirePublication(const Codec& codec, const hub::Publication& publication) {
  publication_.data = codec.content(publication, room_);
  publication_.offset = publication.offset;
  if (publication.publisher) {
    info_ = to_wire(*publication.publisher);
    publication_.info = &info_;
  }
  if (publication.tags.empty()) return;
  tags_.assign(publication.tags.begin(), publication.tags.end());
  publication_.tags = tags_;
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
                                   std::span<const hub::PublicationPtr> publications) {
  kept_.reserve(publications.size());
  all_.reserve(publications.size());
  for (const hub::PublicationPtr& publication : publications) {
    kept_.push_back(std::make_unique<WirePublication>(codec, *publication));
    all_.push_back(kept_.back()->get());
  }
}

}  // namespace parley::adapter::centrifuge
