#include "tests/history/standing.h"

#include <algorithm>

namespace parley::history {

void Standing::subscribed(const Step& step) {
  state = State::kLive;
  since = step.at;
  tag = step.tag;
  if (step.window != 0) window = step.window;
  if (step.recovered) {
    if (step.has_asked) position = step.asked;
    placed = placed || step.has_asked;
  } else {
    const bool told = step.epoch != 0 || step.offset != 0;
    position = told ? step.offset : step.asked;
    placed = told || step.has_asked;
  }
  positioned = step.positioned;
  placed = placed && positioned;
  epoch = step.epoch;
}

void Standing::take(const Step& step) {
  switch (step.kind) {
    case Kind::kSubscribed:
      return subscribed(step);
    case Kind::kDelivered:
      placed = placed || (positioned && step.offset != 0);
      position = step.epoch == epoch ? std::max(position, step.offset) : step.offset;
      epoch = step.epoch;
      return;
    case Kind::kGap:
      if (step.rolled_back)
        position = step.from - 1;
      else
        position = step.epoch == epoch ? std::max(position, step.to) : step.to;
      placed = positioned;
      epoch = step.epoch;
      return;
    case Kind::kDisconnected:
      if (state == State::kLive) state = State::kAway;
      return;
    case Kind::kUnsubscribed:
    case Kind::kEnded:
      state = State::kOver;
      return;
    default:
      return;
  }
}

}  // namespace parley::history
