// Who is present in the channels whose home this shard is: an ephemeral keyed state beside each
// channel, changed in one order.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/random.h"
#include "hub/post.h"
#include "hub/publication.h"

namespace parley::hub {

// What: members of each channel, keyed by session id, and the sequence of their changes. Owner:
// HomeChannels. Shard: home. Failure: a channel above `max_members` refuses further ones with
// kOverloaded; its size is bounded.
class PresenceBook {
 public:
  PresenceBook(IdSource& ids, size_t max_members)
      : boot_(ids.next_u64() | 1), max_members_(max_members) {}

  // Applies the change. Returns the publication that tells it, or null when nothing changed that
  // others should be told.
  std::expected<PublicationPtr, HubError> apply(PresenceChange change, WallMillis now);
  PresenceSnapshot snapshot(const std::string& channel);
  PresenceCounts counts(const std::string& channel) const;
  // A follower pins the channel's epoch and offset until it is let go.
  Attached follow(const std::string& channel);
  void unfollow(const std::string& channel);

 private:
  struct Members {
    Epoch epoch;
    uint64_t top = 0;
    bool followed = false;
    std::unordered_map<std::string, ClientInfo, SeededHash, std::equal_to<>> by_client;
    std::unordered_map<std::string, uint64_t, SeededHash, std::equal_to<>> users;
    PresenceSnapshot told;  // what was asked for since the last change
  };
  using Channels = std::unordered_map<std::string, Members, SeededHash, std::equal_to<>>;
  Members& open(const std::string& channel);
  void forget_if_unused(Channels::iterator channel);
  static void leave_user(Members& members, const std::string& user);

  Channels channels_;
  uint64_t boot_;
  uint32_t counter_ = 0;
  size_t max_members_;
};

}  // namespace parley::hub
