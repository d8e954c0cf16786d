// What the home side hands over to the interested shards, and those whose ring is full.
#include <algorithm>
#include <utility>

#include "base/metrics.h"
#include "hub/home_channels.h"

namespace parley::hub {
namespace {

metrics::Counter fell_behind("parley_shard_behind_total",
                             "Times a shard's ring was full and it fell behind a channel");

}  // namespace

void HomeChannels::deliver(HomeChannel& channel, PublicationPtr publication) {
  if (publication->offset <= channel.tail.top()) return;
  note_changed(channel);
  const uint64_t offset = publication->offset;
  for (Interest& interest : channel.interests) {
    if (interest.behind) continue;
    // Nobody needs it behind the last shard, unless one is given it from the tail.
    const bool last = &interest == &channel.interests.back() && !channel.behind();
    HubMessage message{std::in_place_type<Feed>, interest.id,
                       last ? std::move(publication) : publication};
    if (outlet_.try_feed(interest.shard, message)) {
      interest.next = offset;
    } else {
      if (last) publication = std::move(std::get<Feed>(message).publication);
      note_behind(channel, interest);
    }
  }
  // Only a shard that is behind still has to be given it from the tail.
  if (channel.behind()) {
    channel.tail.append(std::move(publication),
                        blocks(channel) ? channel.options->tail_bytes : kTailBytes);
  } else {
    channel.tail.reset(offset);
  }
}

// Hands over everything behind the shard's position. False when its ring is full.
bool HomeChannels::feed(HomeChannel& channel, Interest& interest) {
  if (!feed_reset(channel, interest)) return false;
  const Tail& tail = channel.tail;
  if (!tail.covers(interest.next) && tail.empty()) {
    // No publication will show the shard its hole.
    HubMessage message = TopNote{interest.id, tail.top()};
    if (!outlet_.try_feed(interest.shard, message)) return false;
    interest.next = tail.top();
  }
  interest.next = std::max(interest.next, tail.base());
  for (const PublicationPtr& publication : tail.after(interest.next)) {
    HubMessage message = Feed{interest.id, publication};
    if (!outlet_.try_feed(interest.shard, message)) return false;
    interest.next = publication->offset;
  }
  if (interest.removal_owed) {
    HubMessage message = TopNote{interest.id, tail.top(), true};
    if (!outlet_.try_feed(interest.shard, message)) return false;
    interest.removal_owed = false;
  }
  if (std::exchange(interest.behind, false)) forget_behind(interest.shard);
  tell_gate(channel, interest.shard);
  return true;
}

// Each interested shard forgets its tail too, or a reader that comes back would be handed what was
// removed.
void HomeChannels::tell_removal(HomeChannel& channel) {
  for (Interest& interest : channel.interests) {
    interest.removal_owed = true;
    if (!interest.behind && !feed(channel, interest)) note_behind(channel, interest);
  }
}

bool HomeChannels::feed_reset(HomeChannel& channel, Interest& interest) {
  if (!interest.reset_owed) return true;
  Attached at = channel.at;
  at.top = interest.next;
  HubMessage message =
      std::make_unique<ResetNote>(ResetNote{interest.id, std::move(at), *interest.reset_owed});
  if (!outlet_.try_feed(interest.shard, message)) return false;
  interest.reset_owed.reset();
  return true;
}

void HomeChannels::note_behind(HomeChannel& channel, Interest& interest) {
  interest.behind = true;
  if (behind_of_.size() <= interest.shard) behind_of_.resize(interest.shard + 1);
  if (behind_of_[interest.shard]++ == 0) ++shards_behind_;
  fell_behind.add(1);
  if (!channel.behind()) behind_.push_back(channel);
  tell_gate(channel, interest.shard);
}

void HomeChannels::note_caught_up(HomeChannel& channel) {
  static_cast<ListNode<BehindTag>&>(channel).unlink();
  channel.tail.trim();
}

void HomeChannels::forget_behind(ShardId shard) {
  if (--behind_of_[shard] == 0) --shards_behind_;
}

bool HomeChannels::feed_behind() {
  if (behind_.empty()) return false;
  IntrusiveList<HomeChannel, BehindTag> behind;
  behind.append(behind_);
  // One refusal speaks for all channels: thousands may be behind the same full ring.
  std::vector<ShardId> full;
  // Those that met a full ring go last next time, or the others would never have their turn.
  IntrusiveList<HomeChannel, BehindTag> refused;
  while (!behind.empty() && (full.empty() || full.size() < shards_behind_)) {
    HomeChannel& channel = behind.pop_front();
    bool still = false, met_full = false;
    for (Interest& interest : channel.interests) {
      if (!interest.behind) continue;
      const bool tried = std::ranges::find(full, interest.shard) == full.end();
      if (tried && feed(channel, interest)) continue;
      if (tried) full.push_back(interest.shard);
      met_full = met_full || tried;
      still = true;
    }
    if (still) {
      (met_full ? refused : behind_).push_back(channel);
    } else {
      channel.tail.trim();
    }
  }
  behind_.append(behind);
  behind_.append(refused);
  return !behind_.empty();
}

}  // namespace parley::hub
