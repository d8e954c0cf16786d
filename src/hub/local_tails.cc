// The tails of a shard's channels together: who gives when they are too large, and when nobody
// needs them any more.
#include <algorithm>
#include <utility>

#include "base/metrics.h"
#include "hub/local_channels.h"

namespace parley::hub {
namespace {

// A channel without publications for this long gives its tail back.
constexpr seconds kQuiet{10};
// ... and where its last one may be the base of a delta, that one for this long.
constexpr seconds kQuietBase{300};
// Who has so many times as much in its tail as another gives before it.
constexpr size_t kMuchMore = 4;
// So much of the budget is left when feeds begin to look for who has nothing to give.
constexpr size_t kAheadPart = 32;

metrics::Counter tails_spared("parley_tails_spared_total",
                              "Tails given back early because all together were too large");
metrics::Counter tails_owed("parley_tails_owed_total",
                            "Tails that had nothing to give when all together were too large: "
                            "slow readers are owed all that they hold");

metrics::Counter tails_asked("parley_tails_asked_total",
                             "Times all readers of a tail were looked at, to find what it has to "
                             "give when all together are too large");

metrics::Counter sweeps_postponed("parley_sweeps_postponed_total",
                                  "Turns that left the rest of a sweep over channels to the next");

}  // namespace

bool LocalChannels::sweep(Time now) {
  // Not where nothing is due: those that are left of a round may all have been fed since the turn
  // before, and rounds would follow each other without end.
  if (!std::exchange(round_open_, true)) begin_round(now);
  swept_at_ = now;
  size_t left = kSweepPortion;
  for (auto* line : {&owed_, &warm_, &empty_})
    while (line->due()) {
      if (left == 0) {
        sweeps_postponed.add(1);
        return true;
      }
      LocalChannel& channel = line->pop_due();
      left -= std::min(left, 1 + channel.live_.size());
      channel.round_ = round_;
      if (cool(channel, now)) line->put_back(channel);
    }
  round_open_ = false;
  return false;
}

void LocalChannels::begin_round(Time now) {
  for (const InterestId interest : std::exchange(stalled_, {}))
    if (LocalChannel* channel = find(interest)) request_page(*channel);
  // Publishers may still wait for readers of a tail that is gone.
  for (const InterestId interest : backlogs_)
    if (LocalChannel* channel = find(interest); channel && !channel->warm()) judge(*channel, now);
  ++round_;
  for (auto* line : {&owed_, &warm_, &empty_}) line->begin_round();
}

void LocalChannels::judge(LocalChannel& channel, Time now) {
  if (channel.lag_) channel.lag_->on_sweep(channel.tail_.top(), now);
  if (channel.lag_ && channel.lag_->watch()) lose_patience(channel);
}

// It leaves its line, or goes to another, before the sweep under way has come to it: who is fed
// all the time is judged in each round, too.
void LocalChannels::judge_if_due(LocalChannel& channel) {
  if (channel.warm() && channel.round_ != round_) judge(channel, swept_at_);
  channel.round_ = round_;
}

bool LocalChannels::anybody_behind(const LocalChannel& channel) {
  return std::ranges::any_of(channel.live_, [top = channel.tail_.top()](const Subscription* s) {
    return s->position_ < top;
  });
}

// A channel that has been quiet for a while keeps no tail, unless one of its readers still has to
// catch up from it. False: it leaves its line.
bool LocalChannels::cool(LocalChannel& channel, Time now) {
  judge(channel, now);
  if (channel.settled_) {
    give_what_is_not_owed(channel);
    return channel.settled_;
  }
  const uint64_t top = channel.tail_.top();
  const bool moved = top != channel.quiet_top_;
  if (moved) channel.quiet_since_ = now;
  channel.quiet_top_ = top;
  const bool quiet = !moved && now - channel.quiet_since_ >= kQuiet;
  if (!quiet || anybody_behind(channel)) return true;
  if (channel.options_->allow_delta && now - channel.quiet_since_ < kQuietBase) {
    change_tail(channel, [&](Tail& tail) {
      tail.trim_to_newest();
      channel.forget_with_tail();
    });
    return true;
  }
  give_all(channel);
  return false;
}

// The tail holds publications, the newest of all tails.
void LocalChannels::warm_up(LocalChannel& channel) {
  judge_if_due(channel);
  static_cast<ListNode<WarmTag>&>(channel).unlink();
  if (channel.settled_) count_as(channel, false);
  warm_.push_back(channel);
  spare_tails(channel);
}

// The tail has just become empty, and nothing is to be had from it: no feed is to look at it again
// and again. Its readers are judged until all have caught up.
void LocalChannels::stand_empty(LocalChannel& channel) {
  if (!channel.warm()) return;
  judge_if_due(channel);
  static_cast<ListNode<WarmTag>&>(channel).unlink();
  channel.settled_ = false;
  empty_.push_back(channel);
}

// What history gave to a reader is the base of the next publication's delta.
void LocalChannels::keep_base(LocalChannel& channel, const PublicationPtr& newest) {
  const bool wanted = channel.options_->allow_delta && channel.tail_.empty();
  if (!wanted || newest->offset != channel.tail_.top()) return;
  change_tail(channel, [&](Tail& tail) { tail.adopt_newest(newest); });
  warm_up(channel);
}

void LocalChannels::count_as(LocalChannel& channel, bool settled) {
  bytes_with(channel) -= channel.held_bytes();
  channel.settled_ = settled;
  bytes_with(channel) += channel.held_bytes();
}

// Each step makes somebody forget a publication or leave its line, to which only a publication
// brings it back: however much is owed, all feeds together pay for no more than themselves. So that
// one of them does not pay for a whole line of those that are owed all, each looks at a few of them
// while there still is some room. When there is none nevertheless, the newest gives of its own, or
// what has been owed longest goes.
void LocalChannels::spare_tails(LocalChannel& newest) {
  const auto bytes = [this] { return tail_bytes_ + owed_bytes_; };
  const auto too_much_owed = [this] { return owed_bytes_ > max_tail_bytes_ / 2; };
  const size_t ahead = max_tail_bytes_ - max_tail_bytes_ / kAheadPart;
  size_t vain = 0;
  // Asked once of each that comes to the front: it may have many readers, and none of them reads
  // on meanwhile.
  const LocalChannel* asked = nullptr;
  bool owed_all = false;
  const auto oldest_is_owed_all = [&] {
    const LocalChannel& oldest = warm_.front();
    if (asked != &oldest) owed_all = is_owed_all(oldest);
    asked = &oldest;
    return owed_all;
  };
  while (bytes() > ahead && (too_much_owed() || &warm_.front() != &newest)) {
    // Those that were looked at in vain have given all since.
    if (owed_.empty()) vain = 0;
    if (!too_much_owed() && vain < kMaxVainSteps && oldest_is_owed_all()) {
      // Not in vain where it gave, because a sweep was due at which it was waited for no longer.
      if (settle_oldest()) ++vain;
      tails_owed.add(1);
      continue;
    }
    if (bytes() <= max_tail_bytes_) return;
    if (!too_much_owed() && !oldest_is_owed_all()) {
      let_one_give(newest);
      asked = nullptr;
    } else if (too_much_owed() || !give_half(newest)) {
      let_longest_owed_give();
    }
    tails_spared.add(1);
  }
}

void LocalChannels::let_longest_owed_give() {
  judge_if_due(owed_.front());
  give_all(owed_.pop_front());
}

// Who was fed longest ago gives the older half of its tail: whoever is a little behind finds the
// rest. But a busy channel, which is never that one, gives of its own before it takes a quiet one's
// last that somebody may need.
void LocalChannels::let_one_give(LocalChannel& newest) {
  LocalChannel& oldest = warm_.front();
  const bool much_more = newest.held_bytes() / kMuchMore > oldest.held_bytes();
  if (much_more && !keeps_its_last(oldest) && give_half(newest)) return;
  giver_ = {};
  if (!give_half(oldest)) settle_oldest();
}

// Whether it is owed something.
bool LocalChannels::settle_oldest() {
  judge_if_due(warm_.front());
  LocalChannel& oldest = warm_.pop_front();
  give_what_is_not_owed(oldest);
  if (oldest.settled_) owed_.push_back(oldest);
  return oldest.settled_;
}

// To give all that it can costs no reader anything.
bool LocalChannels::keeps_its_last(const LocalChannel& channel) {
  const LagLimit* lag = channel.lag_.get();
  if (!lag || lag->keys()) return false;
  const bool latest = lag->policy() == OverflowPolicy::kLatest;
  return lag->watch() || (latest && !channel.tail_.has_several());
}

// Has nothing to give. Each feed asks it of the oldest, which may have many readers and stay the
// oldest for long: once found to have something it is not looked at again.
bool LocalChannels::is_owed_all(const LocalChannel& channel) {
  if (channel.interest_ == giver_) return false;
  const Tail& tail = channel.tail_;
  const LagLimit* lag = channel.lag_.get();
  if (lag) tails_asked.add(1);
  if (lag && owed_from(channel) < tail.after(tail.base()).front()->offset &&
      (!lag->keys() || lag->keys()->bytes() <= tail.bytes()))
    return true;
  giver_ = channel.interest_;
  return false;
}

// Not where publishers wait for who needs it, and not of the newest per key, which count for more
// than the tail. False: nothing went.
bool LocalChannels::give_half(LocalChannel& channel) {
  const LagLimit* lag = channel.lag_.get();
  if (!channel.tail_.has_several() || (lag && lag->keys())) return false;
  const uint64_t base = channel.tail_.base();
  const uint64_t most = lag && lag->watch() ? lag->watch()->least : UINT64_MAX;
  change_tail(channel, [most](Tail& tail) { tail.trim_older_half(most); });
  return channel.tail_.base() != base;
}

void LocalChannels::give_all(LocalChannel& channel) {
  change_tail(channel, [&](Tail& tail) {
    tail.trim();
    channel.forget_with_tail();
  });
  channel.settled_ = false;
}

// It keeps what its readers are owed, and is settled if that is anything.
void LocalChannels::give_what_is_not_owed(LocalChannel& channel) {
  change_tail(channel, [&](Tail& tail) {
    tail.trim_to(owed_from(channel));
    channel.forget_with_tail();
  });
  count_as(channel, !channel.tail_.empty());
}

// Where begins what no history may have and who is behind relies on; the top: nothing is owed.
uint64_t LocalChannels::owed_from(const LocalChannel& channel) {
  const Tail& tail = channel.tail_;
  if (!channel.lag_ || tail.empty()) return tail.top();
  if (channel.lag_->watch()) return awaited_from(channel);
  const bool latest = channel.lag_->policy() == OverflowPolicy::kLatest;
  return latest && anybody_behind(channel) ? tail.after(tail.base()).back()->prev : tail.top();
}

}  // namespace parley::hub
