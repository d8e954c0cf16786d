// How the subscriptions of a local channel start, are served, and read on from history.
#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "hub/local_channels.h"
#include "hub/meters.h"

namespace parley::hub {
namespace {

constexpr uint32_t kPageLimit = 1000;
constexpr size_t kPageBytes = 256 * 1024;

metrics::Counter page_reads("parley_history_page_reads_total",
                            "Pages of history read for readers behind the tail");
// In the order of GapReason, without the last: no hub produces kUnsupported, whose gaps are told
// and counted by the dialects.
constexpr std::string_view kGaps[] = {"retention", "epoch_changed", "rolled_back", "overflow",
                                      "conflated"};
static_assert(std::size(kGaps) == static_cast<size_t>(GapReason::kUnsupported));
metrics::CounterFamily gaps("parley_gaps_total", "Gaps told to readers, by reason", "reason",
                            kGaps);
// By policy, then by OverflowCause.
constexpr std::string_view kOverflows[] = {"drop_oldest_bytes", "drop_oldest_time", "latest_bytes",
                                           "latest_time"};
metrics::CounterFamily overflows(
    "parley_overflows_total",
    "Times a reader was too far behind and skipped, by its channel's policy and the limit", "cause",
    kOverflows);
metrics::Counter dropped("parley_overflow_skipped_total",
                         "Publications that readers did not get because they were too far behind",
                         {{"policy", "drop_oldest"}});
metrics::Counter conflated("parley_overflow_skipped_total",
                           "Publications that readers did not get because they were too far behind",
                           {{"policy", "latest"}});

// What a reader at `start` cannot be given by a stream of that epoch with its top at `top`;
// nullopt: nothing, as far as this shard can tell.
std::optional<Gap> unreachable(const Start& start, const Epoch& epoch,
                               std::span<const uint64_t> generation_ends, uint64_t top) {
  const Gap other_life{0, top, GapReason::kEpochChanged};
  if (!start.position) return other_life;
  const StreamPosition& position = *start.position;
  if (!position.epoch.known()) return std::nullopt;
  if (!position.epoch.same_incarnation(epoch)) return other_life;
  if (position.epoch.generation > epoch.generation) return other_life;
  if (position.epoch.generation < generation_ends.size()) {
    const uint64_t end = generation_ends[position.epoch.generation];
    if (position.offset > end) return Gap{end + 1, position.offset, GapReason::kRolledBack};
  }
  return std::nullopt;
}

void keep_last(std::vector<PublicationPtr>& publications, size_t count) {
  if (publications.size() <= count) return;
  publications.erase(publications.begin(), publications.end() - static_cast<ptrdiff_t>(count));
}

}  // namespace

// Decides how a subscription starts, now that the channel is attached.
void LocalChannels::admit(LocalChannel& channel, Subscription& subscription, const Epoch& ended) {
  const uint64_t top = channel.tail_.top();
  const Start& start = subscription.catchup().start;
  if (start.kind == Start::Kind::kLive) return go_live(channel, subscription, top, {});
  if (start.kind == Start::Kind::kNewest) return admit_newest(channel, subscription);
  const std::optional<Gap> gap = unreachable(start, channel.epoch_, channel.generation_ends_, top);
  subscription.catchup().other_life = false;
  if (gap && gap->reason == GapReason::kEpochChanged) {
    if (!start.position || start.position->epoch.same_incarnation(ended))
      return admit_other_life(channel, subscription, top);
    // It may be one of which this shard has not heard yet: only home knows. Nothing is asked of
    // its history.
    subscription.catchup().other_life = true;
    subscription.catchup().reached = UINT64_MAX;
    subscription.catchup().first_read = channel.reads_ + 1;
    return wait_for_page(channel, subscription);
  }
  if (gap && start.kind == Start::Kind::kRecover) return go_live(channel, subscription, top, {});
  if (gap) {
    subscription.catchup().gap = gap;
    // After a rollback the reader goes on where the histories part.
    return go_live(channel, subscription, gap->from - 1, {});
  }
  subscription.catchup().reached = start.position->offset;
  // This shard may be behind the one where the reader was before: only home knows whether the
  // position exists.
  if (start.position->offset > top) {
    subscription.catchup().first_read = channel.reads_ + 1;
    return wait_for_page(channel, subscription);
  }
  if (start.kind == Start::Kind::kRecover) return admit_from(channel, subscription);
  go_live(channel, subscription, start.position->offset, {});
}

// Positions of another incarnation mean nothing here.
void LocalChannels::admit_other_life(LocalChannel& channel, Subscription& subscription,
                                     uint64_t top) {
  if (subscription.catchup().start.kind == Start::Kind::kResume)
    subscription.catchup().gap = Gap{0, top, GapReason::kEpochChanged};
  go_live(channel, subscription, top, {});
}

// Offsets strictly increase, so as many publications never lie further back than that.
void LocalChannels::admit_newest(LocalChannel& channel, Subscription& subscription) {
  auto& catchup = subscription.catchup();
  const uint64_t top = channel.tail_.top();
  catchup.reached = top - std::min<uint64_t>(top, catchup.start.limit);
  admit_from(channel, subscription);
}

// kRecover with a position that this stream has had, and kNewest: gathers everything from there on,
// from the tail if it reaches back far enough.
void LocalChannels::admit_from(LocalChannel& channel, Subscription& subscription) {
  auto& catchup = subscription.catchup();
  const uint64_t from = needed_from(subscription);
  const uint64_t top = channel.tail_.top();
  std::span<const PublicationPtr> rest;
  // Pages may have brought the reader beyond what was fed to this shard.
  if (from < top) {
    if (!channel.tail_.covers(from)) return wait_for_page(channel, subscription);
    rest = channel.tail_.after(from);
  }
  const bool newest = catchup.start.kind == Start::Kind::kNewest;
  if (!newest && catchup.collected.size() + rest.size() > catchup.start.limit)
    return go_live(channel, subscription, std::max(from, top), {});
  Subscribed answer;
  answer.missed = std::move(catchup.collected);
  answer.missed.insert(answer.missed.end(), rest.begin(), rest.end());
  if (newest) keep_last(answer.missed, catchup.start.limit);
  answer.recovered =
      !newest || (!answer.missed.empty() && answer.missed.back()->offset == std::max(from, top));
  if (!answer.missed.empty()) keep_base(channel, answer.missed.back());
  go_live(channel, subscription, std::max(from, top), std::move(answer));
}

void LocalChannels::answer(Subscription& subscription, std::expected<Subscribed, HubError> result) {
  if (!result) meters::count_refusal(result.error());
  subscription.catchup().result = std::move(result);
  ready_.push_back(subscription);
}

size_t LocalChannels::deliver_ready(size_t budget) {
  size_t delivered = 0;
  for (; delivered < budget && !ready_.empty(); ++delivered) {
    Subscription& subscription = ready_.pop_front();
    auto result = std::move(*subscription.catchup().result);
    subscription.catchup().result.reset();
    const auto& catchup = *subscription.catchup_;
    if (!catchup.gap && catchup.owed <= subscription.position_) subscription.catchup_.reset();
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

// Readers lie far apart in memory, and where a channel has been quiet in no cache: some are fetched
// at a time instead of one after the other.
void LocalChannels::mark_all_dirty(const LocalChannel& channel) {
  constexpr size_t kAhead = 4;
  const std::span<Subscription* const> live(channel.live_);
  const auto fetch = [&](size_t i) {
    if (i < live.size()) __builtin_prefetch(live[i], 1);
  };
  const auto fetch_owner = [&](size_t i) {
    if (i < live.size()) live[i]->fetch_owner();
  };
  for (size_t i = 0; i < 2 * kAhead; ++i) fetch(i);
  for (size_t i = 0; i < kAhead; ++i) fetch_owner(i);
  for (size_t i = 0; i < live.size(); ++i) {
    fetch(i + 2 * kAhead);
    fetch_owner(i + kAhead);
    mark_dirty(*live[i]);
  }
}

void LocalChannels::rewind(Subscription& subscription, uint64_t offset) {
  const auto& catchup = subscription.catchup_;
  if (!subscription.live() || (catchup && (catchup->gap || catchup->page))) return;
  subscription.position_ = std::min(subscription.position_, offset);
  const LocalChannel& channel = *subscription.channel_;
  if (channel.lag_) {
    subscription.catchup().owed = channel.tail_.top();
    subscription.catchup().conflated_to = 0;
    if (LagWatch* watch = channel.lag_->watch()) watch->least = 0;
  }
  mark_dirty(subscription);
}

Pull LocalChannels::pull(Subscription& subscription, bool slow) {
  if (!subscription.live()) return {};
  LocalChannel& channel = *subscription.channel_;
  if (subscription.catchup_) {
    if (const auto pull = pull_catchup(channel, subscription)) return *pull;
  } else if (slow && !subscription.linked() && too_far_behind(channel, subscription)) {
    if (const auto pull = skip(channel, subscription)) return *pull;
  }
  if (subscription.linked()) return {.kind = Pull::Kind::kWaiting};
  // At the top, or ahead of it where a page overtook the feed.
  if (subscription.position_ >= channel.tail_.top()) return {};
  if (channel.tail_.covers(subscription.position_))
    return {.kind = Pull::Kind::kPublications,
            .publications = channel.tail_.after(subscription.position_),
            .shared = true};
  // Who takes whatever it is given can fall out of the tail too, in one large turn.
  if (channel.lag_ && channel.lag_->keys() && !subscription.catchup_)
    if (const auto pull = skip(channel, subscription)) return *pull;
  wait_for_page(channel, subscription);
  return {.kind = Pull::Kind::kWaiting};
}

// What the reader is given before the tail serves it again: a gap, then its page.
std::optional<Pull> LocalChannels::pull_catchup(LocalChannel& channel, Subscription& subscription) {
  if (auto gap = take_gap(subscription)) return gap;
  if (subscription.catchup_->conflated_to > subscription.position_) {
    if (auto pull = conflate(channel, subscription)) return pull;
    subscription.catchup_->conflated_to = 0;
  }
  const std::shared_ptr<const ReadPage> page = subscription.catchup_->page;
  const uint64_t position = subscription.position_;
  if (page && position >= page->base && !channel.tail_.covers(position)) {
    const auto run = after_position(page->publications, position);
    uint64_t reached = position;
    size_t whole = 0;
    while (whole < run.size() && run[whole]->prev <= reached) reached = run[whole++]->offset;
    if (whole > 0) return Pull{.kind = Pull::Kind::kPublications, .publications = run.first(whole)};
    if (!run.empty()) {
      subscription.catchup_->gap = Gap{position + 1, run.front()->prev, GapReason::kRetention};
      return take_gap(subscription);
    }
  }
  if (subscription.catchup_->owed > position) {
    subscription.catchup_->page.reset();
  } else {
    subscription.catchup_.reset();
  }
  return std::nullopt;
}

// By its limits, or since the tail was given back and the newest state is all that it is owed.
bool LocalChannels::too_far_behind(const LocalChannel& channel, const Subscription& subscription) {
  if (!channel.lag_ || channel.lag_->policy() == OverflowPolicy::kBlock) return false;
  return channel.lag_->exceeded_by(subscription.position_) ||
         (channel.lag_->policy() == OverflowPolicy::kLatest && !channel.tail_.empty() &&
          subscription.position_ < channel.tail_.base());
}

// The reader is too far behind: the cursor moves, and nothing else is to be done. Nothing when
// only the newest state is still to come anyway, or when it is not at hand.
std::optional<Pull> LocalChannels::skip(const LocalChannel& channel, Subscription& subscription) {
  const LagLimit& lag = *channel.lag_;
  if (lag.keys() != nullptr) {
    subscription.catchup().conflated_to = channel.tail_.top();
    auto pull = conflate(channel, subscription);
    if (pull && pull->kind == Pull::Kind::kGap) overflows.add(static_cast<size_t>(lag.cause()) + 2);
    if (!pull) subscription.catchup_.reset();
    return pull;
  }
  const bool latest = lag.policy() == OverflowPolicy::kLatest;
  uint64_t to = lag.line();
  if (latest)
    to = channel.tail_.empty() ? 0 : channel.tail_.after(channel.tail_.base()).back()->prev;
  if (to <= subscription.position_) return std::nullopt;
  const Gap gap{subscription.position_ + 1, to,
                latest ? GapReason::kConflated : GapReason::kOverflow};
  overflows.add(static_cast<size_t>(lag.cause()) + (latest ? 2 : 0));
  (latest ? conflated : dropped).add(to - subscription.position_);
  gaps.add(gap.reason);
  subscription.advance(to);
  return Pull{.kind = Pull::Kind::kGap, .gap = gap};
}

// The next of what no later publication of its key replaces; before it the gap that it leaves.
// Nothing where that is not known any more and history may still have it.
std::optional<Pull> LocalChannels::conflate(const LocalChannel& channel,
                                            Subscription& subscription) {
  const NewestPerKey& keys = *channel.lag_->keys();
  const uint64_t position = subscription.position_;
  const auto hole = [&](uint64_t to, GapReason reason) {
    conflated.add(to - position);
    gaps.add(reason);
    subscription.advance(to);
    return Pull{.kind = Pull::Kind::kGap, .gap = {position + 1, to, reason}};
  };
  if (position < keys.floor()) {
    if (channel.options_->has_history()) return std::nullopt;
    return hole(keys.floor(), GapReason::kOverflow);
  }
  const auto run = keys.after(position);
  if (run.empty()) return std::nullopt;
  if (run.front()->prev > position) return hole(run.front()->prev, GapReason::kConflated);
  return Pull{.kind = Pull::Kind::kPublications, .publications = run};
}

std::optional<Pull> LocalChannels::take_gap(Subscription& subscription) {
  auto& untold = subscription.catchup_->gap;
  if (!untold) return std::nullopt;
  Gap gap = *untold;
  untold.reset();
  if (gap.reason == GapReason::kRetention || gap.reason == GapReason::kOverflow) {
    gap.from = std::max(gap.from, subscription.position_ + 1);
    if (gap.from > gap.to) return std::nullopt;
  }
  gaps.add(gap.reason);
  if (gap.reason != GapReason::kRolledBack) subscription.advance(gap.to);
  return Pull{.kind = Pull::Kind::kGap, .gap = gap};
}

uint64_t LocalChannels::needed_from(const Subscription& subscription) {
  return subscription.live() ? subscription.position_ : subscription.catchup_->reached;
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
  ++channel.reads_;
  channel.read_from_ = from;
  page_reads.add(1);
  home_.read_page(channel.key_, channel.interest_,
                  {.since = from, .limit = kPageLimit, .max_bytes = kPageBytes});
}

void LocalChannels::on_page(InterestId interest, std::expected<ReadPage, HubError> result) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr) return;
  channel->reading_ = false;
  if (!result) return refuse_waiting(*channel, result.error());
  // A page of another life of the channel would be merged wrongly. The reset that is on its way
  // decides; until then the readers wait.
  if (result->epoch != channel->epoch_) {
    stalled_.push_back(interest);
    return;
  }
  const auto page = std::make_shared<const ReadPage>(std::move(*result));
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel->waiting_);
  while (!waiting.empty()) serve_page(*channel, waiting.pop_front(), page);
  request_page(*channel);
}

// A page could not be read: subscribes are told, live readers keep their place in history and ask
// again at the next sweep.
void LocalChannels::refuse_waiting(LocalChannel& channel, HubError error) {
  IntrusiveList<Subscription, WaitTag> waiting;
  waiting.append(channel.waiting_);
  while (!waiting.empty()) {
    Subscription& subscription = waiting.pop_front();
    if (subscription.live()) {
      channel.waiting_.push_back(subscription);
      continue;
    }
    subscription.state_ = Subscription::State::kReady;
    subscription.channel_ = nullptr;
    answer(subscription, std::unexpected(error));
  }
  if (!channel.waiting_.empty()) stalled_.push_back(channel.interest_);
  note_if_idle(channel, Time{});
}

void LocalChannels::serve_page(LocalChannel& channel, Subscription& subscription,
                               const std::shared_ptr<const ReadPage>& page) {
  const uint64_t from = needed_from(subscription);
  const uint64_t reach = page->publications.empty() ? page->top : page->publications.back()->offset;
  const bool starting = !subscription.live();
  if (starting && from > page->top && subscription.catchup_->first_read > channel.reads_) {
    channel.waiting_.push_back(subscription);
    return;
  }
  if (starting && subscription.catchup_->other_life)
    return admit_other_life(channel, subscription, std::max(page->top, channel.tail_.top()));
  if (starting && subscription.catchup_->start.kind == Start::Kind::kResume)
    return admit_ahead(channel, subscription, *page);
  if (starting && from > std::max(page->top, channel.tail_.top()))
    return go_live(channel, subscription, std::max(page->top, channel.tail_.top()), {});
  if (from < channel.read_from_ || (from >= reach && from < page->top)) {
    channel.waiting_.push_back(
        subscription);  // this page is not its piece of history; the next one may be
    return;
  }
  // Nothing is kept between here and the top: a stream may end in offsets that hold nothing.
  const bool nothing_left = page->publications.empty() && page->base <= from;
  if (starting && nothing_left) subscription.catchup_->reached = std::max(from, page->top);
  if (!starting && nothing_left) subscription.advance(page->top);
  if (starting) return collect_page(channel, subscription, *page);
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

// kResume from a position that this shard has not reached: home's top tells whether it exists.
void LocalChannels::admit_ahead(LocalChannel& channel, Subscription& subscription,
                                const ReadPage& page) {
  const uint64_t from = needed_from(subscription);
  const uint64_t top = std::max(page.top, channel.tail_.top());
  if (from <= top) return go_live(channel, subscription, from, {});
  subscription.catchup().gap = Gap{top + 1, from, GapReason::kRolledBack};
  go_live(channel, subscription, top, {});
}

void LocalChannels::collect_page(LocalChannel& channel, Subscription& subscription,
                                 const ReadPage& page) {
  auto& catchup = subscription.catchup();
  const uint64_t from = needed_from(subscription);
  const auto found = after_position(page.publications, from);
  const bool newest = catchup.start.kind == Start::Kind::kNewest;
  const bool too_many = catchup.collected.size() + found.size() > catchup.start.limit;
  if (!newest && (page.base > from || too_many)) {
    catchup.collected.clear();
    // This shard may be behind: the reader is not to be given again what it had elsewhere.
    return go_live(channel, subscription, std::max(page.top, channel.tail_.top()), {});
  }
  // What is collected is not among the newest that are still kept.
  if (page.base > from) catchup.collected.clear();
  catchup.collected.insert(catchup.collected.end(), found.begin(), found.end());
  if (newest) keep_last(catchup.collected, catchup.start.limit);
  if (!found.empty()) {
    catchup.reached = found.back()->offset;
  } else if (newest) {
    catchup.reached = std::max(from, page.top);
  }
  admit_from(channel, subscription);
}

}  // namespace parley::hub
