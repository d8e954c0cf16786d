#include "session/outbox.h"

namespace parley::session {

void FrameQueue::append(MessageType type, ByteView message, const Framing& framing,
                        Barrier barrier) {
  compact();
  const size_t start = bytes_.size();
  bytes_.append(message);
  framing.frame(type, bytes_, start);
  marks_.push_back({bytes_.size(), barrier});
}

ByteView FrameQueue::frame(size_t n) const {
  const size_t begin = first_ + n == 0 ? 0 : marks_[first_ + n - 1].end;
  return ByteView(bytes_).substr(begin, marks_[first_ + n].end - begin);
}

void FrameQueue::pop() {
  sent_ = marks_[first_].end;
  ++first_;
  if (first_ < marks_.size()) return;
  bytes_.clear();
  marks_.clear();
  sent_ = first_ = 0;
}

void FrameQueue::lift_barriers(SubscriptionHandle handle) {
  for (size_t i = first_; i < marks_.size(); ++i)
    if (handle == 0 || marks_[i].barrier.handle == handle) marks_[i].barrier = {};
}

// A queue that is never quite empty must not keep what was sent long ago.
void FrameQueue::compact() {
  constexpr size_t kWorthIt = 4096;
  if (sent_ < kWorthIt || sent_ < bytes_.size() / 2) return;
  bytes_.erase(0, sent_);
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(first_));
  for (Mark& mark : marks_) mark.end -= sent_;
  sent_ = first_ = 0;
}

}  // namespace parley::session
