#include "transport/websocket/compression.h"

#include <algorithm>

#include "base/check.h"

namespace parley::transport::websocket {

using codec::websocket::kServerWindows;

Compression::Compression(const CompressionOptions& options)
    : framings_{DeflateFraming(options, kServerWindows[0], paused_),
                DeflateFraming(options, kServerWindows[1], paused_),
                DeflateFraming(options, kServerWindows[2], paused_)} {}

const session::Framing& Compression::framing(const codec::websocket::DeflateTerms& terms) const {
  const auto window = std::ranges::find(kServerWindows, terms.server_window);
  CHECK(window != kServerWindows.end());
  return framings_[static_cast<size_t>(window - kServerWindows.begin())];
}

}  // namespace parley::transport::websocket
