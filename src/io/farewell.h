// The state of a socket that closes in order; private to the loop.
#pragma once

#include "io/meters.h"
#include "io/socket.h"

namespace parley::io {

struct Socket::Farewell final : TimerNode {
  explicit Farewell(Socket& closing) : socket(closing) {}
  void on_timer(const Now&) override {
    // All was sent, the peer merely did not answer: that is a close in order.
    const bool all_sent = socket.has(kShutDown);
    meters::farewells_cut.add(all_sent ? meters::FarewellCut::kUnanswered
                                       : meters::FarewellCut::kUnread);
    socket.close(all_sent ? CloseReason::kLocal : CloseReason::kTimeout);
  }

  Socket& socket;
  size_t dropped_bytes = 0;
};

}  // namespace parley::io
