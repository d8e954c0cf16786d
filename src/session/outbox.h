// What a session still has to send besides publications: ordered control frames, urgent ones, and
// the rest of a broken-off frame.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "session/adapter.h"
#include "session/transport_link.h"

namespace parley::session {

// A frame may have to wait for a subscription's publications up to an offset; handle 0: it need
// not.
struct Barrier {
  SubscriptionHandle handle = 0;
  uint64_t offset = 0;
};

// What: a queue of whole frames in one buffer. Owner: Outbox. Shard: its own.
class FrameQueue {
 public:
  void append(MessageType type, ByteView message, const Framing& framing, Barrier barrier);
  bool empty() const { return first_ == marks_.size(); }
  size_t size() const { return bytes_.size() - sent_; }  // bytes

  size_t frames() const { return marks_.size() - first_; }
  // The n-th frame from the front. Valid until the next append().
  ByteView frame(size_t n) const;
  const Barrier& barrier(size_t n) const { return marks_[first_ + n].barrier; }
  // `count` frames from the n-th on, which lie one behind the other. Valid as one is.
  ByteView frames_from(size_t n, size_t count) const;
  void pop(size_t count = 1);
  // Takes out the frames that the first n bytes reach into; of the last of them, which was broken
  // off there, what is left goes to `rest`.
  void pop_bytes(size_t n, Buffer& rest);
  // Frames that wait for this subscription, or for any with handle 0, wait no longer.
  void lift_barriers(SubscriptionHandle handle);

  size_t capacity() const { return bytes_.capacity() + marks_.capacity() * sizeof(Mark); }
  // The same in as little memory as it needs.
  FrameQueue tight() const;

 private:
  struct Mark {
    size_t end;
    Barrier barrier;
  };
  void compact();

  Buffer bytes_;
  size_t sent_ = 0;
  std::vector<Mark> marks_;
  size_t first_ = 0;
};

// What: a session's lanes. Publications are never queued here: they are cursors. The urgent lane is
// for connection-scoped frames and passes the others at a frame border. Owner: Session, only while
// there is something in it. Shard: its own.
struct Outbox {
  Buffer rest;  // of a frame that the kernel took only a part of: goes before everything else
  FrameQueue urgent;
  FrameQueue ordered;

  bool empty() const { return rest.empty() && urgent.empty() && ordered.empty(); }
  // Control frames that wait. The rest of a frame is bounded by the size of a message.
  size_t waiting() const { return urgent.size() + ordered.size(); }
  size_t size() const { return rest.size() + waiting(); }
  size_t capacity() const { return rest.capacity() + urgent.capacity() + ordered.capacity(); }
  // The same in as little memory as it needs.
  std::unique_ptr<Outbox> tight() const {
    return std::make_unique<Outbox>(rest, urgent.tight(), ordered.tight());
  }
};

}  // namespace parley::session
