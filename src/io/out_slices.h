// What a handler lends the loop for one send.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <sys/uio.h>

#include "base/bytes.h"

namespace parley::io {

// A bounded list of borrowed slices; neighbours in memory become one. Owner: the shard's loop, one
// object reused for every send. Shard: own.
class OutSlices {
 public:
  static constexpr size_t kMaxSlices = 256;
  static constexpr size_t kMaxBytes = 64 * 1024;

  // How many bytes the next append() can take.
  size_t room() const { return count_ == kMaxSlices ? 0 : kMaxBytes - size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Takes as much of `bytes` as fits; false when something had to stay behind. The bytes must live
  // until the handler's consumed() returned.
  bool append(ByteView bytes) {
    const size_t taken = bytes.size() < room() ? bytes.size() : room();
    if (taken > 0) add(bytes.data(), taken);
    full_ = full_ || taken < bytes.size();
    return taken == bytes.size();
  }

 private:
  friend class EpollLoop;
  void reset() {
    count_ = size_ = 0;
    full_ = false;
  }
  // The handler may have more than it could lend.
  bool may_have_more() const { return full_ || room() == 0; }
  std::span<iovec> slices() { return {slices_.data(), count_}; }

  void add(const char* data, size_t size) {
    size_ += size;
    if (count_ > 0) {
      iovec& last = slices_[count_ - 1];
      if (static_cast<char*>(last.iov_base) + last.iov_len == data) {
        last.iov_len += size;
        return;
      }
    }
    slices_[count_++] = {const_cast<char*>(data), size};
  }

  std::array<iovec, kMaxSlices> slices_;
  size_t count_ = 0;
  size_t size_ = 0;
  bool full_ = false;
};

}  // namespace parley::io
