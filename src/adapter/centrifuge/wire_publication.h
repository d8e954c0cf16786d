// Publications in the protocol's words.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapter/centrifuge/codec.h"
#include "hub/local_channels.h"
#include "hub/publication.h"

namespace parley::adapter::centrifuge {

wire::ClientInfo to_wire(const hub::ClientInfo& info);

// A hub publication as the codec wants it: borrows from the publication and from itself, so it
// stays where it was made.
class WirePublication {
 public:
  WirePublication(const Codec& codec, const hub::Publication& publication);
  WirePublication(const WirePublication&) = delete;
  WirePublication& operator=(const WirePublication&) = delete;

  wire::Publication& get() { return publication_; }
  const wire::Publication& get() const { return publication_; }
  // The data becomes the change that makes it of `base`'s. False: the whole is as good.
  bool become_delta(const Codec& codec, const hub::Publication& base);

 private:
  // What few publications need.
  struct Room {
    std::vector<wire::Publication::Tag> tags;
    Buffer content;
    Buffer delta;
  };
  Room& room() { return room_ ? *room_ : room_.emplace(); }

  wire::ClientInfo info_;
  std::optional<Room> room_;
  wire::Publication publication_;
};

// The same as the message of a channel while it is live. Offsets mean something to clients only
// where they can be used; who subscribed to the empty stream learns its epoch with the first.
class LivePublication {
 public:
  LivePublication(const Codec& codec, const hub::LocalChannel& channel,
                  const hub::Publication& publication);

  wire::Publication& get() { return publication_.get(); }
  const wire::Publication& get() const { return publication_.get(); }
  bool become_delta(const Codec& codec, const hub::Publication& base) {
    return publication_.become_delta(codec, base);
  }

 private:
  WirePublication publication_;
  std::string epoch_;
};

// The publications of a history reply or a recovery.
class WirePublications {
 public:
  // With `delta` as a subscription reads them that has deltas: the first whole, the others as
  // changes.
  WirePublications(const Codec& codec, std::span<const hub::PublicationPtr> publications,
                   bool delta = false);
  std::span<const wire::Publication> all() const { return all_; }

 private:
  std::vector<std::unique_ptr<WirePublication>> kept_;
  std::vector<wire::Publication> all_;
};

}  // namespace parley::adapter::centrifuge
