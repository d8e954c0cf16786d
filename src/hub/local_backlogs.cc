// Who holds up the publishers of a channel with `block`, as its home is told.
#include <algorithm>
#include <utility>

#include "base/metrics.h"
#include "hub/local_channels.h"

namespace parley::hub {
namespace {

// Sweeps for which a reader may be too far behind before publishers stop waiting for it: one that
// takes a byte now and then never stalls, and would block for ever.
constexpr uint8_t kPatience = 30;

metrics::Counter given_up("parley_publishes_unblocked_total",
                          "Times publishers no longer waited for a reader that had been too far "
                          "behind for 30 s");
metrics::Counter backlogs_postponed(
    "parley_backlogs_postponed_total",
    "Turns that left some channels whose publishers wait for readers to the "
    "next");

}  // namespace

// A reader that is given what it asked for, or waits for us, is not slow.
bool LocalChannels::holds_up(const LocalChannel& channel, const Subscription& subscription) {
  return channel.lag_->exceeded_by(subscription.position_) && !subscription.catchup_ &&
         !subscription.linked() && subscription.late_ < kPatience;
}

void LocalChannels::recount(LocalChannel& channel) {
  const LagLimit& lag = *channel.lag_;
  LagWatch& watch = *lag.watch();
  // As long as the line has not come to where the last of them was, nobody is behind it.
  if (lag.line() <= watch.least) return;
  watch.laggards.clear();
  watch.least = UINT64_MAX;
  for (Subscription* subscription : channel.live_) {
    watch.least = std::min(watch.least, subscription->position_);
    if (!lag.exceeded_by(subscription->position_)) subscription->late_ = 0;
    if (holds_up(channel, *subscription)) watch.laggards.push_back(subscription);
  }
  if (watch.laggards.empty() || watch.listed) return;
  watch.listed = true;
  backlogs_.push_back(channel.interest_);
}

// About once a second. Who has come to where the line was then reads on, however often it is
// beyond the line of the moment: publishers come as soon as it lets them.
void LocalChannels::lose_patience(LocalChannel& channel) {
  LagWatch& watch = *channel.lag_->watch();
  const uint64_t line = std::exchange(watch.line, channel.lag_->line());
  for (Subscription* subscription : channel.live_)
    if (subscription->position_ >= line) subscription->late_ = 0;
  for (Subscription* subscription : watch.laggards)
    if (holds_up(channel, *subscription) && ++subscription->late_ == kPatience) given_up.add(1);
  recount(channel);
}

// Where what publishers wait to be taken begins. Who is not waited for any more is owed nothing.
uint64_t LocalChannels::awaited_from(const LocalChannel& channel) {
  uint64_t from = channel.tail_.top();
  for (const Subscription* subscription : channel.live_)
    if (subscription->late_ < kPatience) from = std::min(from, subscription->position_);
  return from;
}

// Without new publications laggards only become fewer, so that it is enough to look at one or two.
Backlog LocalChannels::backlog_of(const LocalChannel& channel) {
  auto& laggards = channel.lag_->watch()->laggards;
  while (!laggards.empty() && !holds_up(channel, *laggards.back())) laggards.pop_back();
  if (laggards.empty()) return {};
  const Subscriber& owner = laggards.back()->owner_;
  for (size_t n = laggards.size() - 1; n-- > 0;) {
    if (holds_up(channel, *laggards[n])) {
      if (&laggards[n]->owner_ != &owner) return {.kind = Backlog::Kind::kMany, .one = {}};
      continue;
    }
    // Those behind it have been looked at.
    laggards[n] = laggards[laggards.size() - 2];
    laggards[laggards.size() - 2] = laggards.back();
    laggards.pop_back();
  }
  const RequesterId one = owner.requester();
  const bool publishes = one != RequesterId();
  return {.kind = publishes ? Backlog::Kind::kOne : Backlog::Kind::kMany, .one = one};
}

bool LocalChannels::tell_backlogs(Time now) {
  for (size_t left = kBacklogPortion; left > 0 && next_backlog_ < backlogs_.size(); --left) {
    InterestId& interest = backlogs_[next_backlog_];
    if (tell_backlog(interest, now)) {
      ++next_backlog_;
      continue;
    }
    interest = backlogs_.back();
    backlogs_.pop_back();
  }
  if (next_backlog_ < backlogs_.size()) {
    backlogs_postponed.add(1);
  } else {
    next_backlog_ = 0;
  }
  return !backlogs_.empty();
}

// Whether it is to be looked at again.
bool LocalChannels::tell_backlog(InterestId interest, Time now) {
  LocalChannel* channel = find(interest);
  if (channel == nullptr) return false;
  LagWatch& watch = *channel->lag_->watch();
  const Backlog backlog = backlog_of(*channel);
  const bool somebody = backlog.kind != Backlog::Kind::kNobody;
  const bool repeat = somebody && now - watch.told_at >= PublishGate::kRepeated;
  if (backlog != watch.told || repeat) {
    if (!home_.tell_backlog(channel->key_, interest, backlog)) return true;
    watch.told = backlog;
    watch.told_at = now;
  }
  watch.listed = somebody;
  return somebody;
}

}  // namespace parley::hub
