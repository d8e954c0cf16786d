// What a transport would put into one write.
#pragma once

#include <algorithm>

#include "session/transport_link.h"

namespace parley::testing {

// At most `limit` bytes, given as slices.
class Slices final : public session::SliceSink {
 public:
  explicit Slices(size_t limit) : limit_(limit) {}
  bool append(ByteView slice) override {
    const size_t fits = std::min(slice.size(), limit_ - bytes.size());
    bytes.append(slice.substr(0, fits));
    return fits == slice.size();
  }
  Buffer bytes;

 private:
  size_t limit_;
};

}  // namespace parley::testing
