#include "hub/local_channels.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::hub {
namespace {

// Interest outlives its last subscriber a little, against churn: a reconnecting client finds the
// channel still followed.
constexpr seconds kLinger{5};
// A channel without publications for this long gives its tail back.
constexpr seconds kQuiet{10};
constexpr uint32_t kPageLimit = 1000;
constexpr size_t kPageBytes = 256 * 1024;

metrics::Gauge channels_gauge("parley_channels", "Channels followed, summed over shards");
metrics::Gauge subscriptions_gauge("parley_subscriptions", "Live subscriptions");
metrics::Counter page_reads("parley_history_page_reads_total",
                            "Pages of history read for readers behind the tail");
metrics::Counter holes("parley_feed_holes_total",
                       "Holes found in a feed from a channel's home shard");

metrics::Counter& gap_counter(GapReason reason) {
  static metrics::Counter counters[kGapReasons] = {
      {"parley_gaps_total", "Gaps told to readers, by reason", {{"reason", "retention"}}},
      {"parley_gaps_total", "Gaps told to readers, by reason", {{"reason", "epoch_changed"}}},
      {"parley_gaps_total", "Gaps told to readers, by reason", {{"reason", "rolled_back"}}},
      {"parley_gaps_total", "Gaps told to readers, by reason", {{"reason", "overflow"}}},
      {"parley_gaps_total", "Gaps told to readers, by reason", {{"reason", "unsupported"}}},
  };
  return counters[static_cast<int>(reason)];
}

// What a reader at `start` cannot be given by a stream that stands at `at` with its top at `top`;
// nullopt: nothing.
std::optional<Gap> unreachable(const Start& start, const Attached& at, uint64_t top) {
  if (!start.position) return Gap{0, top, GapReason::kEpochChanged};
  const StreamPosition& position = *start.position;
  if (position.epoch.known()) {
    if (!position.epoch.same_incarnation(at.epoch)) return Gap{0, top, GapReason::kEpochChanged};
    if (position.epoch.generation < at.generation_ends.size()) {
      const uint64_t end = at.generation_ends[position.epoch.generation];
      if (position.offset > end) return Gap{end + 1, position.offset, GapReason::kRolledBack};
    }
  }
  if (position.offset > top) return Gap{top + 1, position.offset, GapReason::kRolledBack};
  return std::nullopt;
}

}  // namespace

Subscription::~Subscription() { CHECK(channel_ == nullptr); }

bool Subscription::pullable() const {
  if (!live() || linked()) return gap_due();
  return catchup_ != nullptr || position_ < channel_->tail().top();
}

LocalChannels::~LocalChannels() { channels_gauge.add(-static_cast<int64_t>(channels_.size())); }

void LocalChannels::subscribe(Subscription& subscription, const ChannelKey& key,
                              std::shared_ptr<const ChannelOptions> options, Start start) {
  CHECK(subscription.idle());
  LocalChannel& channel = open(key, std::move(options));
  subscription.channel_ = &channel;
  subscription.catchup().start = std::move(start);
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
  if (!channel.live_.empty() || !channel.waiting_.empty() || channel.idle_) return;
  channel.idle_ = true;
  channel.idle_since_ = since;
  idle_.push_back(&channel);
}

LocalChannel& LocalChannels::open(const ChannelKey& key,
                                  std::shared_ptr<const ChannelOptions> options) {
  if (const auto found = channels_.find(key); found != channels_.end()) return *found->second;
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
  interests_[index].channel = &channel;
  channels_.emplace(key, std::move(made));
  channels_gauge.add(1);
  home_.follow(key, interest);
  return channel;
}

// The channel must have no subscriptions and stand in no list.
void LocalChannels::close(LocalChannel& channel) {
  CHECK(channel.live_.empty() && channel.waiting_.empty());
  if (channel.idle_) std::erase(idle_, &channel);
  if (channel.warm_) std::erase(warm_, &channel);
  interests_[channel.interest_.index].channel = nullptr;
  free_interests_.push_back(channel.interest_.index);
  channels_gauge.add(-1);
  channels_.erase(channels_.find(ChannelKeyView(channel.key_)));
}

LocalChannel* LocalChannels::find(InterestId interest) {
  if (interest.index >= interests_.size()) return nullptr;
  const InterestSlot& slot = interests_[interest.index];
  return slot.sequence == interest.sequence ? slot.channel : nullptr;
}

// Decides how a subscription starts, now that the channel is attached.
void LocalChannels::admit(LocalChannel& channel, Subscription& subscription) {
  const uint64_t top = channel.tail_.top();
  const Start& start = subscription.catchup().start;
  if (start.kind == Start::Kind::kLive) return go_live(channel, subscription, top, {});
  const std::optional<Gap> gap = unreachable(start, channel.at_, top);
  if (start.kind == Start::Kind::kRecover) {
    if (gap) return go_live(channel, subscription, top, {});
    return admit_from(channel, subscription);
  }
  if (!gap) return go_live(channel, subscription, start.position->offset, {});
  subscription.catchup().gap = gap;
  // Positions of another incarnation mean nothing here; after a rollback the reader goes on where
  // the histories part.
  go_live(channel, subscription, gap->reason == GapReason::kEpochChanged ? top : gap->from - 1, {});
}

// kRecover with a position that this stream has had: gathers everything that was missed, from the
// tail if it reaches back far enough.
void LocalChannels::admit_from(LocalChannel& channel, Subscription& subscription) {
  auto& catchup = subscription.catchup();
  const uint64_t from = needed_from(subscription);
  const uint64_t top = channel.tail_.top();
  if (!channel.tail_.covers(from)) return wait_for_page(channel, subscription);
  const auto rest = channel.tail_.after(from);
  if (catchup.collected.size() + rest.size() > catchup.start.limit)
    return go_live(channel, subscription, top, {});
  Subscribed answer;
  answer.recovered = true;
  answer.missed = std::move(catchup.collected);
  answer.missed.insert(answer.missed.end(), rest.begin(), rest.end());
  go_live(channel, subscription, top, std::move(answer));
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
  result.top = {channel.at_.epoch, channel.tail_.top()};
  answer(subscription, std::move(result));
}

void LocalChannels::answer(Subscription& subscription, std::expected<Subscribed, HubError> result) {
  subscription.catchup().result = std::move(result);
  ready_.push_back(subscription);
}

size_t LocalChannels::deliver_ready(size_t budget) {
  size_t delivered = 0;
  for (; delivered < budget && !ready_.empty(); ++delivered) {
    Subscription& subscription = ready_.pop_front();
    auto result = std::move(*subscription.catchup().result);
    subscription.catchup().result.reset();
    if (!subscription.catchup().gap) subscription.catchup_.reset();
    subscription.state_ = result ? Subscription::State::kLive : Subscription::State::kIdle;
    const bool lagging = result && (subscription.catchup_ ||
                                    subscription.position_ < subscription.channel_->tail_.top());
    // The subscriber may unsubscribe and destroy the subscription in its answer, so nothing follows
    // the call.
    if (lagging) mark_dirty(subscription);
    subscription.owner_.on_subscribed(subscription, std::move(result));
  }
  return delivered;
}

void LocalChannels::mark_dirty(Subscription& subscription) {
  if (subscription.dirty) return;
  subscription.dirty = true;
  subscription.owner_.on_dirty(subscription);
}

Pull LocalChannels::pull(Subscription& subscription) {
  Pull pull;
  if (!subscription.live()) return pull;
  LocalChannel& channel = *subscription.channel_;
  if (subscription.catchup_) {
    auto& catchup = *subscription.catchup_;
    if (catchup.gap) {
      pull.kind = Pull::Kind::kGap;
      pull.gap = *catchup.gap;
      catchup.gap.reset();
      gap_counter(pull.gap.reason).add(1);
      if (pull.gap.reason != GapReason::kRolledBack) subscription.advance(pull.gap.to);
      return pull;
    }
    if (catchup.page) {
      pull.publications = after_position(catchup.page->publications, subscription.position_);
      if (!pull.publications.empty()) {
        pull.kind = Pull::Kind::kPublications;
        return pull;
      }
    }
    if (!subscription.linked()) subscription.catchup_.reset();
  }
  if (subscription.linked()) {
    pull.kind = Pull::Kind::kWaiting;
  } else if (channel.tail_.covers(subscription.position_)) {
    pull.publications = channel.tail_.after(subscription.position_);
    if (pull.publications.empty()) return pull;
    pull.kind = Pull::Kind::kPublications;
    pull.shared = true;
  } else {
    pull.kind = Pull::Kind::kWaiting;
    wait_for_page(channel, subscription);
  }
  return pull;
}

uint64_t LocalChannels::needed_from(const Subscription& subscription) {
  if (subscription.live()) return subscription.position_;
  const auto& catchup = *subscription.catchup_;
  return catchup.collected.empty() ? catchup.start.position->offset
                                   : catchup.collected.back()->offset;
}

void LocalChannels::wait_for_page(LocalChannel& channel, Subscription& subscription) {
  if (!subscription.linked()) channel.waiting_.push_back(subscription);
  request_page(channel);
}

void LocalChannels::request_page(LocalChannel& channel) {
  if (channel.reading_ || channel.waiting_.empty()) return;
  uint64_t from = UINT64_MAX;
  for (Subscription& subscription : channel.waiting_)
    from = std::min(from, needed_from(subscription));
  channel.reading_ = true;
  channel.read_from_ = from;
  page_reads.add(1);
  home_.read_page(channel.key_, channel.interest_,
                  {.since = from, .limit = kPageLimit, .max_bytes = kPageBytes});
}

void LocalChannels::on_page(InterestId interest, std::expected<ReadPage, HubError> result) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr) return;
  channel->reading_ = false;
  if (!result) {
    IntrusiveList<Subscription, WaitTag> waiting;
    waiting.append(channel->waiting_);
    while (!waiting.empty()) {
      Subscription& subscription = waiting.pop_front();
      if (subscription.live()) {
        channel->waiting_.push_back(
            subscription);  // keeps its place in history; asked again at the next sweep
      } else {
        subscription.state_ = Subscription::State::kReady;
        subscription.channel_ = nullptr;
        answer(subscription, std::unexpected(result.error()));
      }
    }
    if (!channel->waiting_.empty()) stalled_.push_back(interest);
    return note_if_idle(*channel, Time{});
  }
  // A page of another life of the channel would be merged wrongly; the reset that is on its way
  // decides.
  if (!result->epoch.same_incarnation(channel->at_.epoch)) {
    stalled_.push_back(interest);
    return;
  }
  const auto page = std::make_shared<const ReadPage>(std::move(*result));
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel->waiting_);
  while (!waiting.empty()) serve_page(*channel, waiting.pop_front(), page);
  request_page(*channel);
}

void LocalChannels::serve_page(LocalChannel& channel, Subscription& subscription,
                               const std::shared_ptr<const ReadPage>& page) {
  const uint64_t from = needed_from(subscription);
  const uint64_t reach = page->publications.empty() ? page->top : page->publications.back()->offset;
  if (from < channel.read_from_ || (from >= reach && from < page->top)) {
    channel.waiting_.push_back(
        subscription);  // this page is not its piece of history; the next one may be
    return;
  }
  if (!subscription.live()) return collect_page(channel, subscription, *page);
  if (page->base > from) {
    // What the tail still holds is delivered behind the gap, even where history keeps nothing.
    const uint64_t tail_base = channel.tail_.base();
    const uint64_t to = tail_base > from ? std::min(page->base, tail_base) : page->base;
    subscription.catchup().gap =
        Gap{from + 1, to,
            channel.options_->has_history() ? GapReason::kRetention : GapReason::kOverflow};
  }
  subscription.catchup().page = page;
  mark_dirty(subscription);
}

void LocalChannels::collect_page(LocalChannel& channel, Subscription& subscription,
                                 const ReadPage& page) {
  auto& catchup = subscription.catchup();
  const uint64_t from = needed_from(subscription);
  const auto found = after_position(page.publications, from);
  if (page.base > from || catchup.collected.size() + found.size() > catchup.start.limit) {
    catchup.collected.clear();
    return go_live(channel, subscription, channel.tail_.top(), {});
  }
  catchup.collected.insert(catchup.collected.end(), found.begin(), found.end());
  admit_from(channel, subscription);
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
  channel->at_ = std::move(*result);
  channel->tail_.reset(channel->at_.top);
  while (!waiting.empty()) admit(*channel, waiting.pop_front());
}

void LocalChannels::on_feed(InterestId interest, PublicationPtr publication) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_) return;
  if (publication->prev > channel->tail_.top()) holes.add(1);
  if (!channel->tail_.append(std::move(publication))) return;
  if (!channel->warm_) {
    channel->warm_ = true;
    warm_.push_back(channel);
  }
  for (Subscription* subscription : channel->live_) mark_dirty(*subscription);
}

void LocalChannels::on_top(InterestId interest, uint64_t top) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_ || top <= channel->tail_.top()) return;
  holes.add(1);
  channel->tail_.reset(top);
  for (Subscription* subscription : channel->live_) mark_dirty(*subscription);
}

void LocalChannels::on_reset(InterestId interest, const Attached& now, GapReason reason) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr || !channel->attached_) return;
  channel->at_ = now;
  channel->tail_.reset(now.top);
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel->waiting_);
  for (Subscription* subscription : channel->live_) {
    auto& catchup = subscription->catchup();
    catchup.page.reset();
    const bool rolled_back = reason == GapReason::kRolledBack;
    catchup.gap = rolled_back ? Gap{now.top + 1, std::max(subscription->position_, now.top), reason}
                              : Gap{0, now.top, reason};
    subscription->position_ = rolled_back ? std::min(subscription->position_, now.top) : now.top;
    mark_dirty(*subscription);
  }
  while (!waiting.empty()) {
    Subscription& subscription = waiting.pop_front();
    if (subscription.live()) continue;
    subscription.catchup().collected.clear();
    admit(*channel, subscription);
  }
}

void LocalChannels::sweep(Time now) {
  for (const InterestId interest : std::exchange(stalled_, {}))
    if (LocalChannel* channel = find(interest)) request_page(*channel);
  for (LocalChannel* channel : std::exchange(warm_, {})) cool(*channel, now);
  for (LocalChannel* channel : std::exchange(idle_, {})) {
    channel->idle_ = false;
    if (!channel->live_.empty() || !channel->waiting_.empty()) continue;
    if (channel->attached_ && now - channel->idle_since_ >= kLinger &&
        home_.drop_interest(channel->key_, channel->interest_)) {
      close(*channel);
    } else {
      channel->idle_ = true;
      idle_.push_back(channel);
    }
  }
}

// A channel that has been quiet for a while keeps no tail, unless one of its readers still has to
// catch up from it.
void LocalChannels::cool(LocalChannel& channel, Time now) {
  const uint64_t top = channel.tail_.top();
  const bool moved = top != channel.quiet_top_;
  if (moved) channel.quiet_since_ = now;
  channel.quiet_top_ = top;
  const bool quiet = !moved && now - channel.quiet_since_ >= kQuiet;
  const bool lagging = quiet && std::ranges::any_of(channel.live_, [top](const Subscription* s) {
                         return s->position_ < top;
                       });
  channel.warm_ = !quiet || lagging;
  if (channel.warm_) {
    warm_.push_back(&channel);
  } else {
    channel.tail_.trim();
  }
}

ChannelCounts LocalChannels::count(std::string_view pattern) const {
  ChannelCounts counts;
  for (const auto& [key, channel] : channels_)
    if (key.aspect == Aspect::kMessages && !channel->live_.empty() && glob_match(pattern, key.name))
      counts.subscribers.emplace(key.name, channel->live_.size());
  return counts;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return true;
  size_t p = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (star != std::string_view::npos) {
      // Only the last star can need to grow, so this stays quadratic at worst and linear in
      // practice.
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace parley::hub
