#include "session/outbox.h"

#include <algorithm>

namespace parley::session {

void FrameQueue::append(MessageType type, ByteView message, const Framing& framing,
                        Barrier barrier) {
  compact();
  framing.append(type, bytes_, message);
  marks_.push_back({bytes_.size(), barrier});
}

ByteView FrameQueue::frame(size_t n) const { return frames_from(n, 1); }

ByteView FrameQueue::frames_from(size_t n, size_t count) const {
  const size_t begin = first_ + n == 0 ? 0 : marks_[first_ + n - 1].end;
  return ByteView(bytes_).substr(begin, marks_[first_ + n + count - 1].end - begin);
}

void FrameQueue::pop_bytes(size_t n, Buffer& rest) {
  const size_t stop = sent_ + n;
  const auto last = std::ranges::lower_bound(marks_.begin() + static_cast<ptrdiff_t>(first_),
                                             marks_.end(), stop, {}, &Mark::end);
  rest.assign(bytes_, stop, last->end - stop);
  pop(static_cast<size_t>(last - marks_.begin()) + 1 - first_);
}

void FrameQueue::pop(size_t count) {
  first_ += count;
  sent_ = marks_[first_ - 1].end;
  if (first_ < marks_.size()) return;
  bytes_.clear();
  marks_.clear();
  sent_ = first_ = 0;
}

void FrameQueue::lift_barriers(SubscriptionHandle handle) {
  for (size_t i = first_; i < marks_.size(); ++i)
    if (handle == 0 || marks_[i].barrier.handle == handle) marks_[i].barrier = {};
}

FrameQueue FrameQueue::tight() const {
  FrameQueue copy;
  copy.bytes_ = bytes_.substr(sent_);
  copy.marks_.assign(marks_.begin() + static_cast<ptrdiff_t>(first_), marks_.end());
  for (Mark& mark : copy.marks_) mark.end -= sent_;
  return copy;
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
