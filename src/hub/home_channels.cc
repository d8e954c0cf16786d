#include "hub/home_channels.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Gauge channels_gauge("parley_channels",
                              "Channels that some shard follows; each counts once");
metrics::Counter published("parley_publications_total", "Publications sequenced");
metrics::Counter stale("parley_broker_feed_stale_total",
                       "What a broker brought of a feed that is over, or that there never was");

}  // namespace

void HomeChannels::request(ShardId from, Request&& request, const Now& now) {
  if (auto* record = std::get_if<PublishRecord>(&request.body))
    return publish(from, request.who, request.waiter, std::move(*record), now);
  std::visit([&](auto& body) { handle(from, request.waiter, body, now); }, request.body);
}

void HomeChannels::handle(ShardId from, uint64_t waiter, FollowRequest& request, const Now&) {
  HomeChannel* channel = find(request.channel);
  if (channel == nullptr) {
    auto options = rules_.find(request.channel.name);
    if (!options) return outlet_.reply(from, waiter, std::unexpected(HubError::kUnknownChannel));
    auto made = std::make_unique<HomeChannel>();
    made->key = request.channel;
    made->options = std::move(options);
    channel = made.get();
    give_place(*channel);
    if (request.channel.aspect == Aspect::kMessages) channels_gauge.add(1);
    channels_.insert(std::move(made));
    attach(*channel);
  }
  std::erase_if(channel->interests, [from](const Interest& i) { return i.shard == from; });
  if (channel->key.aspect == Aspect::kMessages) gate_.forget(channel->key.name, from);
  const PendingFollow follower{from, waiter, request.interest};
  if (channel->follow == Follow::kLive) {
    accept_follower(*channel, follower);
  } else {
    if (channel->follow == Follow::kLost) attach(*channel);
    channel->settling->followers.push_back(follower);
  }
}

void HomeChannels::handle(ShardId, uint64_t, PublishRecord&, const Now&) {
  CHECK(false);  // goes to publish()
}

void HomeChannels::publish(ShardId from, RequesterId who, uint64_t waiter, PublishRecord&& record,
                           const Now& now) {
  // The home sees them all, so that the rate is the node's.
  const Rate& rate = record.options->publish_rate;
  if (record.metered && rate.limited() &&
      !publishes_.take(SeededHash{}(record.channel.name), rate, now.mono))
    return outlet_.reply(from, waiter, std::unexpected(HubError::kRateLimited));
  // Behind what waits, even if the namespace has just been given another policy.
  if (record.options->overflow.policy != OverflowPolicy::kBlock && !gate_.waiting())
    return sequence(from, waiter, record, now);
  if (!gate_.hold({from, who, waiter}, record, now)) sequence(from, waiter, record, now);
}

void HomeChannels::admit(PublishGate::Publish publish, const Now& now) {
  sequence(publish.from, publish.waiter, publish.record, now);
}

void HomeChannels::refuse(const PublishGate::Asked& asked, HubError why) {
  outlet_.reply(asked.from, asked.waiter, std::unexpected(why));
}

void HomeChannels::handle(ShardId from, uint64_t waiter, WithdrawRequest& request, const Now&) {
  withdraw(from, *request.waiters);
  outlet_.reply(from, waiter, PresenceChanged{});
}

void HomeChannels::on_backlog(ShardId from, const BacklogNote& note, const Now& now) {
  const HomeChannel* channel = find(note.channel);
  if (channel == nullptr) return;
  const auto current = [&](const Interest& i) { return i.shard == from && i.id == note.interest; };
  if (std::ranges::any_of(channel->interests, current))
    gate_.note(note.channel.name, from, note.backlog, now);
}

void HomeChannels::sequence(ShardId from, uint64_t waiter, PublishRecord& record, const Now& now) {
  if (record.publication->time == 0) record.publication->time = now.wall;
  broker_.publish(add_pending({from, waiter, nullptr}), std::move(record));
}

void HomeChannels::handle(ShardId from, uint64_t waiter, ReadRequest& request, const Now&) {
  if (request.channel.aspect == Aspect::kPresence) {
    // Presence keeps no history: who fell behind takes a new snapshot.
    const HomeChannel* channel = find(request.channel);
    ReadPage page;
    if (channel != nullptr)
      page = {.epoch = channel->at.epoch, .base = channel->tail.top(), .top = channel->tail.top()};
    return outlet_.reply(from, waiter, std::move(page));
  }
  broker_.read(add_pending({from, waiter, nullptr}), request.channel, request.query);
}

void HomeChannels::handle(ShardId from, uint64_t waiter, RemoveHistoryRequest& request,
                          const Now&) {
  const BrokerToken token =
      add_pending({from, waiter, std::make_unique<ChannelKey>(request.channel)});
  broker_.remove_history(token, request.channel);
}

void HomeChannels::handle(ShardId from, uint64_t waiter, PresenceChange& change, const Now& now) {
  const ChannelKey key{change.channel, Aspect::kPresence};
  auto applied = presence_.apply(std::move(change), now.wall);
  if (!applied) return outlet_.reply(from, waiter, std::unexpected(applied.error()));
  if (HomeChannel* channel = *applied ? find(key) : nullptr) take(*channel, std::move(*applied));
  outlet_.reply(from, waiter, PresenceChanged{});
}

void HomeChannels::handle(ShardId from, uint64_t waiter, PresenceRequest& request, const Now&) {
  if (request.counts_only) return outlet_.reply(from, waiter, presence_.counts(request.channel));
  outlet_.reply(from, waiter, presence_.snapshot(request.channel));
}

void HomeChannels::handle(ShardId, uint64_t, ChannelsRequest&, const Now&) {
  CHECK(false);  // answered by the hub from its local side
}

void HomeChannels::handle(ShardId, uint64_t, ControlRequest&, const Now&) {
  CHECK(false);  // carried out by the hub's control sink
}

void HomeChannels::handle(ShardId, uint64_t, StatusRequest&, const Now&) {
  CHECK(false);  // the hub handles it
}

void HomeChannels::handle(ShardId, uint64_t, UserNote&, const Now&) {
  CHECK(false);  // counted by the hub
}

HomeChannels::HomeChannel* HomeChannels::find(const ChannelKey& key) {
  const auto found = channels_.find(ChannelKeyView(key));
  return found == channels_.end() ? nullptr : found->get();
}

// Null: it went, or is attached by a later attempt.
HomeChannels::HomeChannel* HomeChannels::find(FeedId feed) {
  const auto place = static_cast<uint32_t>(feed);
  HomeChannel* channel = place < places_.size() ? places_[place] : nullptr;
  return channel != nullptr && feed_of(*channel) == feed ? channel : nullptr;
}

void HomeChannels::give_place(HomeChannel& channel) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  channel.place = free_places_.back();
  free_places_.pop_back();
  places_[channel.place] = &channel;
}

void HomeChannels::attach(HomeChannel& channel) {
  if (channel.follow != Follow::kAttaching) channel.follow = Follow::kCatchingUp;
  channel.attempt = next_attempt_++;
  if (!channel.settling) channel.settling = std::make_unique<Settling>();
  channel.settling->reading = 0;
  if (channel.key.aspect == Aspect::kPresence) {
    channel.at = presence_.follow(channel.key.name);
    return go_live(channel);
  }
  broker_.attach(channel.key, channel.options, feed_of(channel));
}

void HomeChannels::go_live(HomeChannel& channel) {
  channel.follow = Follow::kLive;
  if (channel.tail.top() < channel.at.top) {
    // What history no longer has is a hole, which interested shards find by themselves from the
    // next publication or top note.
    channel.tail.reset(channel.at.top);
    if (!channel.interests.empty()) note_changed(channel);
  }
  const auto settled = std::exchange(channel.settling, nullptr);
  for (const PendingFollow& follower : settled->followers) accept_follower(channel, follower);
}

void HomeChannels::accept_follower(HomeChannel& channel, const PendingFollow& follower) {
  Attached answer = channel.at;
  answer.top = channel.tail.top();
  channel.interests.push_back(
      {.next = answer.top, .id = follower.interest, .shard = follower.shard});
  outlet_.reply(follower.shard, follower.waiter, std::move(answer));
}

void HomeChannels::drop_interest(ShardId from, const ChannelKey& key, InterestId interest) {
  HomeChannel* channel = find(key);
  if (channel == nullptr) return;
  std::erase_if(channel->interests, [&](const Interest& i) {
    if (i.shard != from || i.id != interest) return false;
    if (i.behind) forget_behind(from);
    return true;
  });
  const bool other = std::ranges::any_of(channel->interests,
                                         [from](const Interest& i) { return i.shard == from; });
  if (!other && key.aspect == Aspect::kMessages) gate_.forget(key.name, from);
  if (other) tell_gate(*channel, from);
  if (channel->behind() && std::ranges::none_of(channel->interests, &Interest::behind))
    note_caught_up(*channel);
  close_if_unwanted(*channel);
}

void HomeChannels::close_if_unwanted(HomeChannel& channel) {
  if (!channel.interests.empty()) return;
  if (channel.settling && !channel.settling->followers.empty()) return;
  if (channel.key.aspect == Aspect::kPresence) {
    presence_.unfollow(channel.key.name);
  } else {
    broker_.detach(channel.key);
  }
  if (channel.key.aspect == Aspect::kMessages) channels_gauge.add(-1);
  places_[channel.place] = nullptr;
  free_places_.push_back(channel.place);
  channels_.erase(channels_.find(ChannelKeyView(channel.key)));
}

void HomeChannels::on_attached(const ChannelKey&, FeedId feed,
                               std::expected<Attached, BrokerError> result) {
  ++completions_;
  HomeChannel* channel = find(feed);
  if (channel == nullptr) return stale.add(1);
  if (!result) return lose(*channel, to_hub_error(result.error()));
  const Attached before = std::exchange(channel->at, std::move(*result));
  if (channel->follow == Follow::kAttaching) return go_live(*channel);
  compare_tops(*channel, before.epoch);
}

void HomeChannels::on_publication(const ChannelKey&, FeedId feed, PublicationPtr publication) {
  HomeChannel* channel = find(feed);
  if (channel == nullptr) return stale.add(1);
  take(*channel, std::move(publication));
}

void HomeChannels::take(HomeChannel& channel, PublicationPtr publication) {
  if (channel.follow == Follow::kAttaching) return;
  if (channel.follow != Follow::kLive && publication->prev > channel.tail.top()) {
    // What lies between is still being read from history, and this one with it.
    channel.at.top = std::max(channel.at.top, publication->offset);
    return;
  }
  deliver(channel, std::move(publication));
}

bool HomeChannels::blocks(const HomeChannel& channel) {
  return channel.options->overflow.policy == OverflowPolicy::kBlock &&
         channel.key.aspect == Aspect::kMessages;
}

// A shard that is behind cannot say how far its subscribers are: publishes wait for it, too.
void HomeChannels::tell_gate(const HomeChannel& channel, ShardId shard) {
  if (!blocks(channel)) return;
  const auto waits = [shard](const Interest& i) { return i.shard == shard && i.behind; };
  gate_.set_behind(channel.key.name, shard, std::ranges::any_of(channel.interests, waits));
}

void HomeChannels::note_changed(HomeChannel& channel) {
  if (!static_cast<const ListNode<ChangedTag>&>(channel).linked()) changed_.push_back(channel);
}

void HomeChannels::on_published(BrokerToken token, std::expected<Published, BrokerError> result) {
  const Pending pending = take_pending(token);
  if (!result)
    return outlet_.reply(pending.from, pending.waiter,
                         std::unexpected(to_hub_error(result.error())));
  if (!result->duplicate) published.add(1);
  outlet_.published(pending.from, pending.waiter, *result);
}

void HomeChannels::on_read(BrokerToken token, std::expected<ReadPage, BrokerError> page) {
  const Pending pending = take_pending(token);
  if (pending.channel) {
    HomeChannel* channel = find(*pending.channel);
    const bool wanted =
        channel != nullptr && channel->settling && channel->settling->reading == token;
    if (wanted) caught_up_page(*channel, std::move(page));
    return;
  }
  if (!page)
    return outlet_.reply(pending.from, pending.waiter, std::unexpected(to_hub_error(page.error())));
  outlet_.reply(pending.from, pending.waiter, std::move(*page));
}

void HomeChannels::on_history_removed(BrokerToken token, std::expected<void, BrokerError> result) {
  const Pending pending = take_pending(token);
  if (!result)
    return outlet_.reply(pending.from, pending.waiter,
                         std::unexpected(to_hub_error(result.error())));
  if (HomeChannel* channel = find(*pending.channel)) tell_removal(*channel);
  outlet_.reply(pending.from, pending.waiter, HistoryRemoved{});
}

HubError HomeChannels::to_hub_error(BrokerError error) {
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

BrokerToken HomeChannels::add_pending(Pending pending) {
  if (free_pending_.empty()) {
    free_pending_.push_back(static_cast<uint32_t>(pending_.size()));
    pending_.emplace_back();
  }
  const uint32_t index = free_pending_.back();
  free_pending_.pop_back();
  pending.generation = pending_[index].generation;
  pending_[index] = std::move(pending);
  return static_cast<BrokerToken>(pending_[index].generation) << 32 | index;
}

HomeChannels::Pending HomeChannels::take_pending(BrokerToken token) {
  ++completions_;
  const auto index = static_cast<uint32_t>(token);
  CHECK(index < pending_.size());
  Pending& place = pending_[index];
  CHECK(place.open && place.generation == token >> 32);
  free_pending_.push_back(index);
  // Never 0: no token is.
  const uint32_t next = place.generation == UINT32_MAX ? 1 : place.generation + 1;
  return std::exchange(place, {.channel = nullptr, .open = false, .generation = next});
}

}  // namespace parley::hub
