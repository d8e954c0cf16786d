// How the home side mends what broke: feeds, channels that could not be followed, and histories
// that were reset.
#include <algorithm>
#include <utility>

#include "base/metrics.h"
#include "hub/home_channels.h"

namespace parley::hub {
namespace {

metrics::Counter feeds_broken("parley_broker_feed_broken_total",
                              "Broken feeds that had to be mended");
constexpr uint32_t kCatchUpPage = 1000;

}  // namespace

// Shards that were interested before keep their interest; those that have just asked are told.
void HomeChannels::lose(HomeChannel& channel, HubError error) {
  if (channel.follow != Follow::kAttaching) {
    channel.follow = Follow::kLost;
    if (!static_cast<const ListNode<LostTag>&>(channel).linked()) lost_.push_back(channel);
  }
  const auto settling = std::exchange(channel.settling, nullptr);
  for (const PendingFollow& follower : settling->followers)
    outlet_.reply(follower.shard, follower.waiter, std::unexpected(error));
  close_if_unwanted(channel);
}

// The feed had broken and is attached again: what is missing is read before going live.
void HomeChannels::compare_tops(HomeChannel& channel, const Epoch& before) {
  const Attached now = channel.at;
  if (!now.epoch.same_incarnation(before) || now.epoch.generation < before.generation) {
    reset(channel, now, GapReason::kEpochChanged);
    return go_live(channel);
  }
  // What was handed over above the end of an older generation is not what stands there now.
  uint64_t common = std::min(now.top, channel.tail.top());
  for (size_t g = before.generation; g < now.generation_ends.size(); ++g)
    common = std::min(common, now.generation_ends[g]);
  if (common < channel.tail.top() || now.epoch != before) {
    Attached parted = now;
    parted.top = common;
    reset(channel, parted, GapReason::kRolledBack);
    channel.at = now;
  }
  if (now.top == channel.tail.top()) return go_live(channel);
  read_missing(channel);
}

void HomeChannels::read_missing(HomeChannel& channel) {
  const BrokerToken token = add_pending({kNoShard, 0, std::make_unique<ChannelKey>(channel.key)});
  channel.settling->reading = token;
  broker_.read(token, channel.key, {.since = channel.tail.top(), .limit = kCatchUpPage});
}

void HomeChannels::caught_up_page(HomeChannel& channel, std::expected<ReadPage, BrokerError> page) {
  channel.settling->reading = 0;
  if (!page) return lose(channel, to_hub_error(page.error()));
  // Another life of the channel: compared again from the start.
  if (page->epoch != channel.at.epoch) return lose(channel, HubError::kUnavailable);
  for (const PublicationPtr& publication : page->publications) deliver(channel, publication);
  if (channel.tail.top() >= channel.at.top || page->publications.empty()) return go_live(channel);
  read_missing(channel);
}

void HomeChannels::on_reset(const ChannelKey& key, const Attached& now, GapReason reason) {
  HomeChannel* channel = find(key);
  if (channel == nullptr || channel->follow == Follow::kAttaching) return;
  reset(*channel, now, reason);
  // The feed goes on behind the new top, so nothing is missing any more. A page of the old life
  // that is on its way is not wanted; an attach that is on its way compares with the new top.
  if (channel->follow == Follow::kCatchingUp && std::exchange(channel->settling->reading, 0) != 0)
    go_live(*channel);
}

// A reset is owed to each interested shard until its ring has taken it: it must not be lost.
void HomeChannels::reset(HomeChannel& channel, const Attached& now, GapReason reason) {
  channel.at = now;
  channel.tail.reset(now.top);
  note_changed(channel);
  for (Interest& interest : channel.interests) {
    // A shard that does not know of an earlier reset yet is told both as one: the worse reason, and
    // the lowest position to go on from.
    const bool both = interest.reset_owed && reason == GapReason::kRolledBack;
    interest.next = both ? std::min(interest.next, now.top) : now.top;
    if (!both) interest.reset_owed = reason;
    if (!interest.behind && !feed(channel, interest)) note_behind(channel, interest);
  }
}

void HomeChannels::on_feed_broken(const std::vector<Slot>& slots) {
  feeds_broken.add(1);
  std::vector<bool> affected(kSlots);
  for (const Slot slot : slots) affected[slot] = true;
  for (const auto& channel : channels_) {
    const ChannelKey& key = channel->key;
    if (key.aspect != Aspect::kMessages || !affected[slot_of(key.name)]) continue;
    attach(*channel);
  }
}

}  // namespace parley::hub
