// The immutable message of a channel. Crosses shards as shared_ptr<const Publication>; never
// changed after creation.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "hub/epoch.h"

namespace parley::hub {

// What the data bytes are. A protocol that cannot carry a kind says so instead of mangling it.
enum class ContentKind : uint8_t { kJson, kText, kBinary };

// What a publication does: a plain message, or a change of a keyed channel's state (presence is
// one, keyed by session).
enum class Change : uint8_t { kMessage, kEnter, kUpdate, kLeave };

// Who published, or who is present. The info fields are JSON or empty.
struct ClientInfo {
  std::string user;
  std::string client;  // the session's public id
  Buffer connection_info;
  Buffer channel_info;
  bool operator==(const ClientInfo&) const = default;
  size_t cost() const {
    return sizeof(ClientInfo) + user.size() + client.size() + connection_info.size() +
           channel_info.size();
  }
};

// How somebody is present.
struct PresenceManner {
  bool listed = true;     // among those present
  bool announced = true;  // to followers of the presence stream, when it enters and leaves
  bool operator==(const PresenceManner&) const = default;
};

using Tags = std::vector<std::pair<std::string, std::string>>;

struct Publication {
  uint64_t offset = 0;  // strictly increasing within an incarnation; contiguity is the broker's
                        // capability, not a promise
  uint64_t prev =
      0;  // offset of the channel's previous publication. Deliverable iff prev <= position < offset
  Epoch epoch;  // the generation under which it was sequenced
  WallMillis time = 0;
  ContentKind kind = ContentKind::kJson;
  bool delta = false;  // subscribers that want deltas get the change from the previous publication
  Change change = Change::kMessage;
  Buffer data;
  std::string event;  // event name, for protocols that have one
  std::string key;    // keyed channels: which entry it changes
  Tags tags;
  // Shared with the publisher's other publications; null when the server API published.
  std::shared_ptr<const ClientInfo> publisher;

  // What it counts against budgets in bytes.
  size_t cost() const {
    size_t bytes = sizeof(Publication) + data.size() + event.size() + key.size();
    for (const auto& [name, value] : tags) bytes += 64 + name.size() + value.size();
    return bytes + (publisher ? publisher->cost() : 0);
  }
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace parley::hub
