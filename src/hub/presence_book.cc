#include "hub/presence_book.h"

#include <algorithm>
#include <vector>

#include "base/metrics.h"

namespace parley::hub {
namespace {
metrics::Gauge members_gauge("parley_presence_members", "Sessions present, summed over channels");
metrics::Counter refused("parley_presence_refused_total",
                         "Presence entries refused because the channel has too many members");
// Most channels have a handful of members. Up to this load the table's first, inline bucket is
// enough; at the usual load it would allocate 13.
constexpr float kMaxLoad = 12;
constexpr size_t kFewMembers = 16;

}  // namespace

PresenceBook::Members::Members(uint32_t at) : counter(at) { by_client.max_load_factor(kMaxLoad); }

void PresenceBook::Members::enter(const ClientInfo& info, PresenceManner manner) {
  members_gauge.add(manner.listed ? 1 : 0);
  unlisted += manner.listed ? 0 : 1;
  if (users && manner.listed) ++(*users)[info.user];
  by_client.emplace(info, manner);
  if (users || by_client.size() <= kFewMembers) return;
  users = std::make_unique<Users>();
  for (const PackedInfo& member : by_client)
    if (member.manner().listed) ++(*users)[std::string(member.user())];
}

void PresenceBook::Members::leave(ByClientSet::const_iterator member) {
  const bool was_listed = member->manner().listed;
  members_gauge.add(was_listed ? -1 : 0);
  unlisted -= was_listed ? 0 : 1;
  if (users && was_listed) {
    const auto user = users->find(member->user());
    if (--user->second == 0) users->erase(user);
  }
  by_client.erase(member);
}

size_t PresenceBook::Members::count_users() const {
  if (users) return users->size();
  std::vector<std::string_view> seen;
  for (const PackedInfo& member : by_client)
    if (member.manner().listed && std::ranges::find(seen, member.user()) == seen.end())
      seen.push_back(member.user());
  return seen.size();
}

std::expected<PublicationPtr, HubError> PresenceBook::apply(PresenceChange change, WallMillis now) {
  if (change.change == Change::kLeave && !channels_.contains(change.channel)) return nullptr;
  Members& members = open(change.channel);
  const auto member = members.by_client.find(std::string_view(change.member.client));
  const bool was_present = member != members.by_client.end();
  if (change.change == Change::kLeave) {
    if (!was_present) return nullptr;
    // The info of the entry is what the others knew.
    change.member = member->unpack();
    change.manner = member->manner();
    members.leave(member);
  } else if (was_present) {
    if (member->unpack() == change.member && member->manner() == change.manner) return nullptr;
    members.leave(member);
    members.enter(change.member, change.manner);
    change.change = Change::kUpdate;
  } else {
    if (members.by_client.size() >= max_members_) {
      refused.add(1);
      forget_if_unused(channels_.find(change.channel));
      return std::unexpected(HubError::kOverloaded);
    }
    members.enter(change.member, change.manner);
    change.change = Change::kEnter;
  }
  members.told.reset();
  PublicationPtr publication;
  if (change.manner.announced) publication = announce(members, change, now);
  forget_if_unused(channels_.find(change.channel));
  return publication;
}

PublicationPtr PresenceBook::announce(Members& members, PresenceChange& change, WallMillis now) {
  auto publication = std::make_shared<Publication>();
  publication->prev = members.top;
  publication->offset = ++members.top;
  publication->epoch = epoch_of(members);
  publication->time = now;
  publication->change = change.change;
  publication->key = change.member.client;
  publication->publisher = std::make_unique<const ClientInfo>(std::move(change.member));
  return publication;
}

PresenceSnapshot PresenceBook::snapshot(const std::string& channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return {};
  Members& members = found->second;
  if (members.told) return *members.told;
  auto told = std::make_unique<PresenceSnapshot>();
  auto list = std::make_shared<std::vector<ClientInfo>>();
  list->reserve(members.listed());
  for (const PackedInfo& info : members.by_client) {
    if (!info.manner().listed) continue;
    list->push_back(info.unpack());
    told->bytes += list->back().cost() - sizeof(ClientInfo);
  }
  told->list = std::move(list);
  told->position = {epoch_of(members), members.top};
  members.told = std::move(told);
  return *members.told;
}

PresenceCounts PresenceBook::counts(const std::string& channel) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return {};
  return {found->second.listed(), found->second.count_users()};
}

Attached PresenceBook::follow(const std::string& channel) {
  Members& members = open(channel);
  members.followed = true;
  return {.epoch = epoch_of(members), .base = members.top, .top = members.top};
}

void PresenceBook::unfollow(const std::string& channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  found->second.followed = false;
  forget_if_unused(found);
}

PresenceBook::Members& PresenceBook::open(const std::string& channel) {
  return channels_.try_emplace(channel, counter_).first->second;
}

// Nobody is present and nobody follows: the channel costs nothing. The counter gives its next life
// another epoch.
void PresenceBook::forget_if_unused(Channels::iterator channel) {
  const Members& members = channel->second;
  if (!members.by_client.empty() || members.followed) return;
  if (members.top > 0) ++counter_;
  channels_.erase(channel);
}

}  // namespace parley::hub
