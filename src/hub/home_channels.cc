#include "hub/home_channels.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Counter published("parley_publications_total", "Publications sequenced");
metrics::Counter fell_behind("parley_shard_behind_total",
                             "Times a shard's ring was full and it fell behind a channel");
metrics::Counter feeds_broken("parley_broker_feed_broken_total",
                              "Broken feeds that had to be mended");
constexpr uint32_t kCatchUpPage = 1000;

HubError to_hub_error(BrokerError error) {
  switch (error) {
    case BrokerError::kOverloaded:
      return HubError::kOverloaded;
    case BrokerError::kIdempotencyConflict:
      return HubError::kIdempotencyConflict;
    case BrokerError::kUnsupported:
      return HubError::kNotAvailable;
    case BrokerError::kUnavailable:
      break;
  }
  return HubError::kUnavailable;
}

}  // namespace

void HomeChannels::request(ShardId from, Request request, const Now& now) {
  std::visit([&](auto& body) { handle(from, request.ticket, body, now); }, request.body);
}

void HomeChannels::handle(ShardId from, uint64_t ticket, FollowRequest& request, const Now&) {
  HomeChannel* channel = find(request.channel);
  if (channel == nullptr) {
    auto options = rules_.find(request.channel.name);
    if (!options) return outlet_.reply(from, ticket, std::unexpected(HubError::kUnknownChannel));
    auto made = std::make_unique<HomeChannel>();
    made->key = request.channel;
    made->options = std::move(options);
    channel = made.get();
    channels_.emplace(request.channel, std::move(made));
    attach(*channel);
  }
  std::erase_if(channel->interests, [from](const Interest& i) { return i.shard == from; });
  const PendingFollow follower{from, ticket, request.interest};
  if (channel->follow == Follow::kLive) {
    accept_follower(*channel, follower);
  } else {
    channel->pending.push_back(follower);
  }
}

void HomeChannels::handle(ShardId from, uint64_t ticket, PublishRecord& record, const Now& now) {
  if (record.publication->time == 0) record.publication->time = now.wall;
  broker_.publish(add_pending({from, ticket, nullptr}), std::move(record));
}

void HomeChannels::handle(ShardId from, uint64_t ticket, ReadRequest& request, const Now&) {
  if (request.channel.aspect == Aspect::kPresence) {
    // Presence keeps no history: who fell behind takes a new snapshot.
    const HomeChannel* channel = find(request.channel);
    ReadPage page;
    if (channel != nullptr)
      page = {.epoch = channel->at.epoch, .base = channel->tail.top(), .top = channel->tail.top()};
    return outlet_.reply(from, ticket, std::move(page));
  }
  broker_.read(add_pending({from, ticket, nullptr}), request.channel, request.query);
}

void HomeChannels::handle(ShardId from, uint64_t ticket, RemoveHistoryRequest& request,
                          const Now&) {
  broker_.remove_history(add_pending({from, ticket, nullptr}), request.channel);
}

void HomeChannels::handle(ShardId from, uint64_t ticket, PresenceChange& change, const Now& now) {
  const auto options = rules_.find(change.channel);
  const bool tell = options && options->join_leave;
  const ChannelKey key{change.channel, Aspect::kPresence};
  auto applied = presence_.apply(std::move(change), now.wall);
  if (!applied) return outlet_.reply(from, ticket, std::unexpected(applied.error()));
  if (*applied && tell) on_publication(key, std::move(*applied));
  outlet_.reply(from, ticket, PresenceChanged{});
}

void HomeChannels::handle(ShardId from, uint64_t ticket, PresenceRequest& request, const Now&) {
  if (request.counts_only) return outlet_.reply(from, ticket, presence_.counts(request.channel));
  outlet_.reply(from, ticket, presence_.snapshot(request.channel));
}

void HomeChannels::handle(ShardId, uint64_t, ChannelsRequest&, const Now&) {
  CHECK(false);  // answered by the hub from its local side
}

HomeChannels::HomeChannel* HomeChannels::find(const ChannelKey& key) {
  const auto found = channels_.find(key);
  return found == channels_.end() ? nullptr : found->second.get();
}

void HomeChannels::attach(HomeChannel& channel) {
  ++channel.attempt;
  if (channel.key.aspect == Aspect::kPresence) {
    channel.at = presence_.follow(channel.key.name);
    return go_live(channel);
  }
  broker_.attach(channel.key, channel.options, channel.attempt);
}

void HomeChannels::go_live(HomeChannel& channel) {
  channel.follow = Follow::kLive;
  if (channel.tail.top() != channel.at.top) channel.tail.reset(channel.at.top);
  for (const PendingFollow& follower : std::exchange(channel.pending, {}))
    accept_follower(channel, follower);
}

void HomeChannels::accept_follower(HomeChannel& channel, const PendingFollow& follower) {
  Attached answer = channel.at;
  answer.top = channel.tail.top();
  channel.interests.push_back({follower.shard, follower.interest, answer.top, false});
  outlet_.reply(follower.shard, follower.ticket, std::move(answer));
}

void HomeChannels::drop_interest(ShardId from, const ChannelKey& key, InterestId interest) {
  HomeChannel* channel = find(key);
  if (channel == nullptr) return;
  std::erase_if(channel->interests,
                [&](const Interest& i) { return i.shard == from && i.id == interest; });
  close_if_unwanted(*channel);
}

void HomeChannels::close_if_unwanted(HomeChannel& channel) {
  if (!channel.interests.empty() || !channel.pending.empty()) return;
  if (channel.key.aspect == Aspect::kPresence) {
    presence_.unfollow(channel.key.name);
  } else {
    broker_.detach(channel.key);
  }
  if (channel.behind) std::erase(behind_, &channel);
  channels_.erase(channels_.find(ChannelKeyView(channel.key)));
}

void HomeChannels::on_attached(const ChannelKey& key, uint32_t attempt,
                               std::expected<Attached, BrokerError> result) {
  HomeChannel* channel = find(key);
  if (channel == nullptr || channel->attempt != attempt) return;
  if (!result) {
    for (const PendingFollow& follower : std::exchange(channel->pending, {}))
      outlet_.reply(follower.shard, follower.ticket, std::unexpected(to_hub_error(result.error())));
    // Followers from before the feed broke keep their interest: the broker tells again when it is
    // back.
    return close_if_unwanted(*channel);
  }
  const bool first = channel->follow == Follow::kAttaching;
  const Attached before = std::exchange(channel->at, std::move(*result));
  if (first) return go_live(*channel);
  // The feed had broken: compare tops, and read what is missing before going live.
  if (!channel->at.epoch.same_incarnation(before.epoch)) {
    reset(*channel, channel->at, GapReason::kEpochChanged);
    return go_live(*channel);
  }
  if (channel->at.top < channel->tail.top()) {
    reset(*channel, channel->at, GapReason::kRolledBack);
    return go_live(*channel);
  }
  if (channel->at.top == channel->tail.top()) return go_live(*channel);
  read_missing(*channel);
}

void HomeChannels::read_missing(HomeChannel& channel) {
  const BrokerToken token =
      add_pending({kNoShard, channel.attempt, std::make_unique<ChannelKey>(channel.key)});
  broker_.read(token, channel.key, {.since = channel.tail.top(), .limit = kCatchUpPage});
}

void HomeChannels::caught_up_page(const ChannelKey& key,
                                  std::expected<ReadPage, BrokerError> page) {
  HomeChannel* channel = find(key);
  if (channel == nullptr || channel->follow != Follow::kCatchingUp) return;
  if (!page) return attach(*channel);
  for (const PublicationPtr& publication : page->publications) deliver(*channel, publication);
  if (channel->tail.top() >= channel->at.top || page->publications.empty()) {
    // What history no longer has is a hole, which readers find by themselves from the next
    // publication or top note.
    channel->follow = Follow::kLive;
    for (const PendingFollow& follower : std::exchange(channel->pending, {}))
      accept_follower(*channel, follower);
    if (channel->tail.top() < channel->at.top) {
      channel->tail.reset(channel->at.top);
      channel->changed = true;
      changed_.push_back(key);
    }
    return;
  }
  read_missing(*channel);
}

void HomeChannels::on_publication(const ChannelKey& key, PublicationPtr publication) {
  HomeChannel* channel = find(key);
  if (channel == nullptr) return;
  if (channel->follow == Follow::kCatchingUp && publication->prev > channel->tail.top()) {
    // What lies between is still being read from history, and this one with it.
    channel->at.top = std::max(channel->at.top, publication->offset);
    return;
  }
  deliver(*channel, std::move(publication));
}

void HomeChannels::deliver(HomeChannel& channel, PublicationPtr publication) {
  if (!channel.tail.append(std::move(publication))) return;
  if (!channel.changed) {
    channel.changed = true;
    changed_.push_back(channel.key);
  }
  for (Interest& interest : channel.interests)
    if (!interest.behind) feed(channel, interest);
}

// Hands over everything behind the shard's position, until its ring is full.
void HomeChannels::feed(HomeChannel& channel, Interest& interest) {
  interest.behind = false;
  if (interest.reset_owed) {
    Attached at = channel.at;
    at.top = interest.next;
    HubMessage message =
        std::make_unique<ResetNote>(ResetNote{interest.id, std::move(at), *interest.reset_owed});
    if (!outlet_.try_feed(interest.shard, message)) return note_behind(channel, interest);
    interest.reset_owed.reset();
  }
  if (!channel.tail.covers(interest.next)) interest.next = channel.tail.base();
  for (const PublicationPtr& publication : channel.tail.after(interest.next)) {
    HubMessage message = Feed{interest.id, publication};
    if (!outlet_.try_feed(interest.shard, message)) return note_behind(channel, interest);
    interest.next = publication->offset;
  }
}

void HomeChannels::note_behind(HomeChannel& channel, Interest& interest) {
  interest.behind = true;
  fell_behind.add(1);
  if (channel.behind) return;
  channel.behind = true;
  behind_.push_back(&channel);
}

bool HomeChannels::feed_behind() {
  for (HomeChannel* channel : std::exchange(behind_, {})) {
    channel->behind = false;
    for (Interest& interest : channel->interests)
      if (interest.behind) feed(*channel, interest);
  }
  return !behind_.empty();
}

void HomeChannels::announce_tops() {
  for (const ChannelKey& key : std::exchange(changed_, {})) {
    HomeChannel* channel = find(key);
    if (channel == nullptr) continue;
    channel->changed = false;
    for (const Interest& interest : channel->interests) {
      HubMessage message = TopNote{interest.id, channel->tail.top()};
      // A shard that is behind learns the top from its feed.
      if (!interest.behind && outlet_.try_feed(interest.shard, message)) continue;
      if (!channel->changed) changed_.push_back(key);
      channel->changed = true;
    }
  }
}

void HomeChannels::on_reset(const ChannelKey& key, const Attached& now, GapReason reason) {
  if (HomeChannel* channel = find(key)) reset(*channel, now, reason);
}

// A reset is owed to each interested shard until its ring has taken it: it must not be lost.
void HomeChannels::reset(HomeChannel& channel, const Attached& now, GapReason reason) {
  channel.at = now;
  channel.tail.reset(now.top);
  for (Interest& interest : channel.interests) {
    interest.next = now.top;
    interest.reset_owed = reason;
    if (!interest.behind) feed(channel, interest);
  }
}

void HomeChannels::on_feed_broken(const std::vector<Slot>& slots) {
  feeds_broken.add(1);
  std::vector<bool> affected(kSlots);
  for (const Slot slot : slots) affected[slot] = true;
  for (const auto& [key, channel] : channels_) {
    if (key.aspect != Aspect::kMessages || !affected[slot_of(key.name)]) continue;
    if (channel->follow == Follow::kLive) channel->follow = Follow::kCatchingUp;
    attach(*channel);
  }
}

void HomeChannels::on_published(BrokerToken token, std::expected<Published, BrokerError> result) {
  const Pending pending = take_pending(token);
  if (!result)
    return outlet_.reply(pending.from, pending.ticket,
                         std::unexpected(to_hub_error(result.error())));
  if (!result->duplicate) published.add(1);
  outlet_.reply(pending.from, pending.ticket, std::move(*result));
}

void HomeChannels::on_read(BrokerToken token, std::expected<ReadPage, BrokerError> page) {
  const Pending pending = take_pending(token);
  if (pending.catching_up) return caught_up_page(*pending.catching_up, std::move(page));
  if (!page)
    return outlet_.reply(pending.from, pending.ticket, std::unexpected(to_hub_error(page.error())));
  outlet_.reply(pending.from, pending.ticket, std::move(*page));
}

void HomeChannels::on_history_removed(BrokerToken token, std::expected<void, BrokerError> result) {
  const Pending pending = take_pending(token);
  if (!result)
    return outlet_.reply(pending.from, pending.ticket,
                         std::unexpected(to_hub_error(result.error())));
  outlet_.reply(pending.from, pending.ticket, HistoryRemoved{});
}

BrokerToken HomeChannels::add_pending(Pending pending) {
  const BrokerToken token = next_token_++;
  pending_.emplace(token, std::move(pending));
  return token;
}

HomeChannels::Pending HomeChannels::take_pending(BrokerToken token) {
  const auto found = pending_.find(token);
  CHECK(found != pending_.end());
  Pending pending = std::move(found->second);
  pending_.erase(found);
  return pending;
}

}  // namespace parley::hub
