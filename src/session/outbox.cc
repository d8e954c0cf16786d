#include "session/outbox.h"

namespace parley::session {

void FrameQueue::append(MessageType type, ByteView message, const Framing& framing,
                        Barrier barrier) {
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

}  // namespace parley::session
