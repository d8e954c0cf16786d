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

metrics::Counter tails_spared("parley_tails_spared_total",
                              "Tails given back early because all together were too large");

}  // namespace

void LocalChannels::sweep(Time now) {
  for (const InterestId interest : std::exchange(stalled_, {}))
    if (LocalChannel* channel = find(interest)) request_page(*channel);
  // Publishers may still wait for readers of a tail that is gone.
  for (const InterestId interest : backlogs_)
    if (LocalChannel* channel = find(interest); channel && !channel->warm()) judge(*channel, now);
  IntrusiveList<LocalChannel, WarmTag> all;
  all.append(owed_);
  all.append(warm_);
  while (!all.empty()) cool(all.pop_front(), now);
}

void LocalChannels::judge(LocalChannel& channel, Time now) {
  if (channel.lag_) channel.lag_->on_sweep(channel.tail_.top(), now);
  if (channel.lag_ && channel.lag_->watch()) lose_patience(channel);
}

bool LocalChannels::anybody_behind(const LocalChannel& channel) {
  return std::ranges::any_of(channel.live_, [top = channel.tail_.top()](const Subscription* s) {
    return s->position_ < top;
  });
}

// A channel that has been quiet for a while keeps no tail, unless one of its readers still has to
// catch up from it.
void LocalChannels::cool(LocalChannel& channel, Time now) {
  judge(channel, now);
  if (channel.settled_) return settle(channel);
  const uint64_t top = channel.tail_.top();
  const bool moved = top != channel.quiet_top_;
  if (moved) channel.quiet_since_ = now;
  channel.quiet_top_ = top;
  const bool quiet = !moved && now - channel.quiet_since_ >= kQuiet;
  const bool base = channel.options_->allow_delta && now - channel.quiet_since_ < kQuietBase;
  if (!quiet || anybody_behind(channel)) {
    warm_.push_back(channel);
  } else if (base) {
    change_tail(channel, [&](Tail& tail) {
      tail.trim_to_newest();
      channel.forget_with_tail();
    });
    warm_.push_back(channel);
  } else {
    give_all(channel);
  }
}

// The tail holds publications, the newest of all tails.
void LocalChannels::warm_up(LocalChannel& channel) {
  static_cast<ListNode<WarmTag>&>(channel).unlink();
  if (channel.settled_) count_as(channel, false);
  warm_.push_back(channel);
  spare_tails(channel);
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
// brings it back: however much is owed, a feed pays for no more than itself.
void LocalChannels::spare_tails(LocalChannel& newest) {
  const auto bytes = [this] { return tail_bytes_ + owed_bytes_; };
  while (bytes() > max_tail_bytes_ &&
         (owed_bytes_ > max_tail_bytes_ / 2 || &warm_.front() != &newest)) {
    const size_t before = bytes();
    let_one_give(newest);
    if (bytes() < before) tails_spared.add(1);
  }
}

// Who was fed longest ago gives the older half of its tail: whoever is a little behind finds the
// rest. But a busy channel, which is never that one, gives of its own before it takes a quiet one's
// last that somebody may need.
void LocalChannels::let_one_give(LocalChannel& newest) {
  if (owed_bytes_ > max_tail_bytes_ / 2) return give_all(owed_.pop_front());
  LocalChannel& oldest = warm_.front();
  const bool much_more = newest.held_bytes() / kMuchMore > oldest.held_bytes();
  if (much_more && !keeps_its_last(oldest) && give_half(newest)) return;
  if (!give_half(oldest)) settle(warm_.pop_front());
}

// To give all that it can costs no reader anything.
bool LocalChannels::keeps_its_last(const LocalChannel& channel) {
  const LagLimit* lag = channel.lag_.get();
  if (!lag || lag->keys()) return false;
  const bool latest = lag->policy() == OverflowPolicy::kLatest;
  return lag->watch() || (latest && !channel.tail_.has_several());
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

// Gives all but what its readers are owed. The channel stands in no line, and then in that of what
// is owed, if anything is.
void LocalChannels::settle(LocalChannel& channel) {
  change_tail(channel, [&](Tail& tail) {
    tail.trim_to(owed_from(channel));
    channel.forget_with_tail();
  });
  count_as(channel, !channel.tail_.empty());
  if (channel.settled_) owed_.push_back(channel);
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
