// Who is present in the channels whose home this shard is: an ephemeral keyed state beside each
// channel, changed in one order.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"
#include "hub/packed_info.h"
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
  // others should be told. Who leaves does so as it entered.
  std::expected<PublicationPtr, HubError> apply(PresenceChange change, WallMillis now);
  PresenceSnapshot snapshot(const std::string& channel);
  PresenceCounts counts(const std::string& channel) const;
  // A follower pins the channel's epoch and offset until it is let go.
  Attached follow(const std::string& channel);
  void unfollow(const std::string& channel);

 private:
  struct ByClient {
    using is_transparent = void;
    size_t operator()(std::string_view client) const { return SeededHash{}(client); }
    size_t operator()(const PackedInfo& info) const { return SeededHash{}(info.client()); }
    bool operator()(const PackedInfo& a, const PackedInfo& b) const {
      return a.client() == b.client();
    }
    bool operator()(std::string_view a, const PackedInfo& b) const { return a == b.client(); }
    bool operator()(const PackedInfo& a, std::string_view b) const { return a.client() == b; }
  };
  using ByClientSet = std::unordered_set<PackedInfo, ByClient, ByClient>;
  using Users = std::unordered_map<std::string, uint64_t, SeededHash, std::equal_to<>>;
  struct Members {
    explicit Members(uint32_t at);
    void enter(const ClientInfo& info, PresenceManner manner);
    void leave(ByClientSet::const_iterator member);
    size_t listed() const { return by_client.size() - unlisted; }
    size_t count_users() const;

    const uint32_t counter;  // of the epoch
    bool followed = false;
    uint64_t top = 0;
    ByClientSet by_client;
    size_t unlisted = 0;                     // of them
    std::unique_ptr<Users> users;            // null: so few members that they are looked through
    std::unique_ptr<PresenceSnapshot> told;  // null: nobody has asked since the last change
  };
  using Channels = std::unordered_map<std::string, Members, SeededHash, std::equal_to<>>;
  PublicationPtr announce(Members& members, PresenceChange& change, WallMillis now);
  Epoch epoch_of(const Members& members) const { return {boot_, members.counter, 0}; }
  Members& open(const std::string& channel);
  void forget_if_unused(Channels::iterator channel);

  Channels channels_;
  uint64_t boot_;
  uint32_t counter_ = 0;
  size_t max_members_;
};

}  // namespace parley::hub
