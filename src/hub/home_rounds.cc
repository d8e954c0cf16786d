// What the home side does over and over for channels of which there may be a million: some of them
// in each turn.
#include <algorithm>

#include "base/metrics.h"
#include "hub/home_channels.h"

namespace parley::hub {
namespace {

metrics::Counter postponed("parley_home_rounds_postponed_total",
                           "Turns that left channels to be announced, or attached again, to the "
                           "next");

}  // namespace

void HomeChannels::begin_tops() { announced_.append(changed_); }

bool HomeChannels::announce_tops() {
  for (size_t left = kRoundPortion; left > 0 && !announced_.empty(); --left)
    announce_top(announced_.pop_front());
  if (!announced_.empty()) postponed.add(1);
  return !announced_.empty();
}

void HomeChannels::announce_top(HomeChannel& channel) {
  for (Interest& interest : channel.interests) {
    // A shard that is behind learns the top from its feed.
    if (interest.behind) continue;
    HubMessage message = TopNote{interest.id, channel.tail.top()};
    if (outlet_.try_feed(interest.shard, message)) {
      interest.next = std::max(interest.next, channel.tail.top());
    } else if (interest.next < channel.tail.top()) {
      // It is as soon as there is room: next time the ring might be full of other channels' notes.
      note_behind(channel, interest);
    }
  }
}

void HomeChannels::begin_retries() { retried_.append(lost_); }

bool HomeChannels::retry_lost() {
  for (size_t left = kRoundPortion; left > 0 && !retried_.empty(); --left) {
    HomeChannel& channel = retried_.pop_front();
    // Whoever asked for it meanwhile had it attached.
    if (channel.follow == Follow::kLost) attach(channel);
  }
  if (!retried_.empty()) postponed.add(1);
  return !retried_.empty();
}

}  // namespace parley::hub
