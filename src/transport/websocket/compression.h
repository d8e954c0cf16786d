// What the WebSockets of a shard share to compress and to inflate.
#pragma once

#include <array>

#include "codec/websocket/deflate_terms.h"
#include "codec/websocket/inflater.h"
#include "transport/websocket/deflate_framing.h"

namespace parley::transport::websocket {

// What: an inflater, and a framing for each window that is agreed on; no connection has anything of
// its own. Owner: the server, one per shard; outlives the handlers and connections that use it.
// Shard: its own. Takes no memory worth the name before it is used; with every window 300 KB of
// zlib's and, for each, a buffer as long as the longest message it has compressed.
class Compression {
 public:
  explicit Compression(const CompressionOptions& options);
  Compression(const Compression&) = delete;
  Compression& operator=(const Compression&) = delete;

  const session::Framing& framing(const codec::websocket::DeflateTerms& terms) const;
  codec::websocket::Inflater& inflater() { return inflater_; }

  // The switch for a shard under load: from the next message on everything is sent as it is, which
  // every client must understand. What clients compressed is inflated all the same.
  void pause(bool paused) { paused_ = paused; }

 private:
  bool paused_ = false;
  codec::websocket::Inflater inflater_;
  std::array<DeflateFraming, codec::websocket::kServerWindows.size()> framings_;  // as those
};

}  // namespace parley::transport::websocket
