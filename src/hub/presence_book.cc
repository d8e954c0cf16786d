#include "hub/presence_book.h"

#include "base/metrics.h"

namespace parley::hub {
namespace {
metrics::Gauge members_gauge("parley_presence_members", "Sessions present, summed over channels");
metrics::Counter refused("parley_presence_refused_total",
                         "Presence entries refused because the channel has too many members");
}  // namespace

std::expected<PublicationPtr, HubError> PresenceBook::apply(PresenceChange change, WallMillis now) {
  if (change.change == Change::kLeave && !channels_.contains(change.channel)) return nullptr;
  Members& members = open(change.channel);
  const auto member = members.by_client.find(change.member.client);
  const bool was_present = member != members.by_client.end();
  if (change.change == Change::kLeave) {
    if (!was_present) return nullptr;
    leave_user(members, member->second.user);
    // The info of the entry is what the others knew.
    change.member = std::move(member->second);
    members.by_client.erase(member);
    members_gauge.add(-1);
  } else if (was_present) {
    if (member->second == change.member) return nullptr;
    leave_user(members, member->second.user);
    ++members.users[change.member.user];
    member->second = change.member;
    change.change = Change::kUpdate;
  } else {
    if (members.by_client.size() >= max_members_) {
      refused.add(1);
      forget_if_unused(channels_.find(change.channel));
      return std::unexpected(HubError::kOverloaded);
    }
    ++members.users[change.member.user];
    members.by_client.emplace(change.member.client, change.member);
    change.change = Change::kEnter;
    members_gauge.add(1);
  }
  auto publication = std::make_shared<Publication>();
  members.told = {};
  publication->prev = members.top;
  publication->offset = ++members.top;
  publication->epoch = members.epoch;
  publication->time = now;
  publication->change = change.change;
  publication->key = change.member.client;
  publication->publisher = std::make_unique<const ClientInfo>(std::move(change.member));
  forget_if_unused(channels_.find(change.channel));
  return publication;
}

void PresenceBook::leave_user(Members& members, const std::string& user) {
  const auto found = members.users.find(user);
  if (--found->second == 0) members.users.erase(found);
}

PresenceSnapshot PresenceBook::snapshot(const std::string& channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return {};
  Members& members = found->second;
  PresenceSnapshot& told = members.told;
  if (!told.list) {
    auto list = std::make_shared<std::vector<ClientInfo>>();
    list->reserve(members.by_client.size());
    told.bytes = 0;
    for (const auto& [client, info] : members.by_client) {
      list->push_back(info);
      told.bytes += info.cost() - sizeof(ClientInfo);
    }
    told.list = std::move(list);
  }
  told.position = {members.epoch, members.top};
  return told;
}

PresenceCounts PresenceBook::counts(const std::string& channel) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return {};
  return {found->second.by_client.size(), found->second.users.size()};
}

Attached PresenceBook::follow(const std::string& channel) {
  Members& members = open(channel);
  members.followed = true;
  return {.epoch = members.epoch, .base = members.top, .top = members.top};
}

void PresenceBook::unfollow(const std::string& channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  found->second.followed = false;
  forget_if_unused(found);
}

PresenceBook::Members& PresenceBook::open(const std::string& channel) {
  const auto [found, made] = channels_.try_emplace(channel);
  if (made) found->second.epoch = {boot_, counter_, 0};
  return found->second;
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
