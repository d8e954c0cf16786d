#include "hub/local_channels.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::hub {
namespace {

// Interest outlives its last subscriber a little, against churn: a reconnecting client finds the
// channel still followed.
constexpr seconds kLinger{5};
metrics::Gauge followed_gauge("parley_followed_channels",
                              "Channels followed, summed over shards and aspects");
metrics::Gauge subscriptions_gauge("parley_subscriptions", "Live subscriptions");
metrics::Counter holes("parley_feed_holes_total",
                       "Holes found in a feed from a channel's home shard");

}  // namespace

Subscription::~Subscription() { CHECK(channel_ == nullptr); }

bool Subscription::pullable() const {
  if (!live() || linked()) return gap_due();
  return catchup_ != nullptr || position_ < channel_->tail().top();
}

LocalChannels::~LocalChannels() {
  followed_gauge.add(-static_cast<int64_t>(channels_.size()));
  subscriptions_gauge.add(-static_cast<int64_t>(subscriptions_));
}

void LocalChannels::subscribe(Subscription& subscription, const ChannelKey& key,
                              std::shared_ptr<const ChannelOptions> options, Start start) {
  CHECK(subscription.idle());
  LocalChannel& channel = open(key, std::move(options));
  subscription.channel_ = &channel;
  subscription.catchup().start = start;
  subscription.state_ = Subscription::State::kWaiting;
  if (channel.attached_) {
    admit(channel, subscription);
  } else {
    channel.waiting_.push_back(subscription);
  }
}

void LocalChannels::refuse(Subscription& subscription, HubError error) {
  CHECK(subscription.idle());
  subscription.state_ = Subscription::State::kReady;
  subscription.catchup();
  answer(subscription, std::unexpected(error));
}

void LocalChannels::unsubscribe(Subscription& subscription, Time now) {
  subscription.unlink();
  subscription.catchup_.reset();
  LocalChannel* channel = subscription.channel_;
  subscription.channel_ = nullptr;
  const bool was_live = channel != nullptr && subscription.state_ != Subscription::State::kWaiting;
  subscription.state_ = Subscription::State::kIdle;
  if (channel == nullptr) return;
  if (was_live) {
    if (channel->lag_ && channel->lag_->watch())
      std::erase(channel->lag_->watch()->laggards, &subscription);
    Subscription* last = channel->live_.back();
    channel->live_[subscription.index_] = last;
    last->index_ = subscription.index_;
    channel->live_.pop_back();
    --subscriptions_;
    subscriptions_gauge.add(-1);
  }
  note_if_idle(*channel, now);
}

void LocalChannels::note_if_idle(LocalChannel& channel, Time since) {
  if (!channel.live_.empty() || !channel.waiting_.empty()) return;
  channel.idle_since_ = since;
  if (!channel.idle()) ++idle_count_;
  static_cast<ListNode<IdleTag>&>(channel).unlink();
  idle_.push_back(channel);
}

LocalChannel& LocalChannels::open(const ChannelKey& key,
                                  std::shared_ptr<const ChannelOptions> options) {
  if (const auto found = channels_.find(ChannelKeyView(key)); found != channels_.end())
    return **found;
  uint32_t index;
  if (free_interests_.empty()) {
    index = static_cast<uint32_t>(interests_.size());
    interests_.emplace_back();
  } else {
    index = free_interests_.back();
    free_interests_.pop_back();
  }
  const InterestId interest{index, ++interests_[index].sequence};
  auto made = std::make_unique<LocalChannel>(key, std::move(options), interest);
  LocalChannel& channel = *made;
  const OverflowOptions& overflow = channel.options_->overflow;
  // Of joins and leaves, none stands for those before it.
  if (overflow.policy != OverflowPolicy::kResume && key.aspect == Aspect::kMessages)
    channel.lag_ = std::make_unique<LagLimit>(overflow, channel.options_->tail_bytes);
  interests_[index].channel = &channel;
  channels_.insert(std::move(made));
  followed_gauge.add(1);
  home_.follow(key, interest);
  return channel;
}

// The channel must have no subscriptions.
void LocalChannels::close(LocalChannel& channel) {
  CHECK(channel.live_.empty() && channel.waiting_.empty());
  if (channel.idle()) --idle_count_;
  bytes_with(channel) -= channel.held_bytes();
  interests_[channel.interest_.index].channel = nullptr;
  free_interests_.push_back(channel.interest_.index);
  followed_gauge.add(-1);
  channels_.erase(channels_.find(ChannelKeyView(channel.key_)));
}

LocalChannel* LocalChannels::find(InterestId interest) {
  if (interest.index >= interests_.size()) return nullptr;
  const InterestSlot& slot = interests_[interest.index];
  return slot.sequence == interest.sequence ? slot.channel : nullptr;
}

void LocalChannels::go_live(LocalChannel& channel, Subscription& subscription, uint64_t cursor,
                            Subscribed result) {
  subscription.unlink();
  subscription.position_ = cursor;
  subscription.index_ = static_cast<uint32_t>(channel.live_.size());
  subscription.state_ = Subscription::State::kReady;
  channel.live_.push_back(&subscription);
  ++subscriptions_;
  subscriptions_gauge.add(1);
  // A cursor may be ahead of the tail: pages overtake a feed that fell behind.
  result.top = {channel.epoch_, std::max(cursor, channel.tail_.top())};
  if (channel.lag_) {
    subscription.catchup().owed = channel.tail_.top();
    if (LagWatch* watch = channel.lag_->watch()) watch->least = std::min(watch->least, cursor);
  }
  answer(subscription, std::move(result));
}

void LocalChannels::on_followed(InterestId interest, std::expected<Attached, HubError> result) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr) return;
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel->waiting_);
  if (!result) {
    while (!waiting.empty()) {
      Subscription& subscription = waiting.pop_front();
      subscription.state_ = Subscription::State::kReady;
      subscription.channel_ = nullptr;
      answer(subscription, std::unexpected(result.error()));
    }
    return close(*channel);
  }
  channel->attached_ = true;
  channel->epoch_ = result->epoch;
  channel->generation_ends_ = std::move(result->generation_ends);
  change_tail(*channel, [&](Tail& tail) {
    tail.reset(result->top);
    if (channel->lag_) channel->lag_->reset(result->top);
  });
  while (!waiting.empty()) admit(*channel, waiting.pop_front());
}

void LocalChannels::on_feed(InterestId interest, PublicationPtr publication) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_) return;
  if (publication->prev > channel->tail_.top()) holes.add(1);
  bool fresh = false;
  const size_t most = channel->options_->tail_bytes;
  change_tail(*channel, [&](Tail& tail) {
    if (channel->lag_ && publication->offset > tail.top())
      channel->lag_->make_room(tail, publication);
    fresh = tail.append(std::move(publication), most);
  });
  if (!fresh) return;
  warm_up(*channel);
  mark_all_dirty(*channel);
  if (channel->lag_ && channel->lag_->watch()) recount(*channel);
}

void LocalChannels::on_top(InterestId interest, uint64_t top, bool removed) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_) return;
  // A reader that has not had it yet asks history, and is told the gap.
  if (removed && top >= channel->tail_.top()) {
    change_tail(*channel, [&](Tail& tail) {
      tail.trim();
      channel->forget_with_tail();
    });
    stand_empty(*channel);
  }
  if (top <= channel->tail_.top()) return;
  holes.add(1);
  change_tail(*channel, [&](Tail& tail) {
    tail.reset(top);
    channel->forget_with_tail();
  });
  stand_empty(*channel);
  mark_all_dirty(*channel);
}

void LocalChannels::on_reset(InterestId interest, const Attached& now, GapReason reason) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_) return;
  const Epoch ended = std::exchange(channel->epoch_, now.epoch);
  channel->generation_ends_ = now.generation_ends;
  change_tail(*channel, [&](Tail& tail) {
    tail.reset(now.top);
    if (channel->lag_) channel->lag_->reset(now.top);
  });
  stand_empty(*channel);
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel->waiting_);
  for (Subscription* subscription : channel->live_) reset_reader(*subscription, now, reason);
  while (!waiting.empty()) {
    Subscription& subscription = waiting.pop_front();
    if (subscription.live()) continue;
    subscription.catchup().collected.clear();
    admit(*channel, subscription, ended);
  }
}

// What an earlier reset still has to tell is told with this one.
void LocalChannels::reset_reader(Subscription& subscription, const Attached& now,
                                 GapReason reason) {
  auto& catchup = subscription.catchup();
  const std::optional<Gap> untold = std::exchange(catchup.gap, std::nullopt);
  catchup.page.reset();
  catchup.owed = catchup.conflated_to = 0;
  subscription.late_ = 0;  // nobody looks at it until the line comes to it again
  const auto is_untold = [&](GapReason which) { return untold && untold->reason == which; };
  if (reason != GapReason::kRolledBack || is_untold(GapReason::kEpochChanged)) {
    const bool earlier = reason == GapReason::kRolledBack;
    catchup.gap = Gap{0, now.top, earlier ? GapReason::kEpochChanged : reason};
    subscription.position_ = now.top;
  } else {
    Gap gap{now.top + 1, subscription.position_, reason};
    if (is_untold(reason)) {
      gap.from = std::min(gap.from, untold->from);
      gap.to = std::max(gap.to, untold->to);
    }
    subscription.position_ = std::min(subscription.position_, gap.from - 1);
    // Who has read nothing above the new top has lost nothing.
    if (gap.from <= gap.to) catchup.gap = gap;
  }
  mark_dirty(subscription);
}

bool LocalChannels::release(Time now) {
  if (idle_.empty()) return false;
  constexpr size_t kPerCall = 256;
  IntrusiveList<LocalChannel, IdleTag> refused;
  size_t left = kPerCall;
  for (; left > 0 && !idle_.empty(); --left) {
    LocalChannel& channel = idle_.front();
    const bool wanted = !channel.live_.empty() || !channel.waiting_.empty();
    const bool due = now - channel.idle_since_ >= kLinger || idle_count_ > kMaxIdle;
    if (!wanted && !due) break;
    idle_.pop_front();
    --idle_count_;
    if (wanted) continue;
    if (channel.attached_ && home_.drop_interest(channel.key_, channel.interest_)) {
      close(channel);
    } else {
      ++idle_count_;
      // One that is not attached yet has its turn when the answer has come.
      (channel.attached_ ? refused : idle_).push_back(channel);
    }
  }
  const bool more = left == 0 || !refused.empty();
  refused.append(idle_);
  idle_.append(refused);
  return more;
}

ChannelCounts LocalChannels::count(std::string_view pattern) const {
  ChannelCounts counts;
  for (const auto& channel : channels_) {
    const ChannelKey& key = channel->key();
    if (key.aspect == Aspect::kMessages && !channel->live_.empty() && glob_match(pattern, key.name))
      counts.subscribers.emplace(key.name, channel->live_.size());
  }
  return counts;
}

}  // namespace parley::hub
