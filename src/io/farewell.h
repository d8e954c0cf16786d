// The state of a socket that closes in order; private to the loop.
#pragma once

#include "io/socket.h"

namespace parley::io {

struct Socket::Farewell final : TimerNode {
  explicit Farewell(Socket& closing) : socket(closing) {}
  void on_timer(const Now&) override {
    // All was sent, the peer merely did not answer: that is a close in order.
    socket.close(socket.has(kShutDown) ? CloseReason::kLocal : CloseReason::kTimeout);
  }

  Socket& socket;
  size_t dropped_bytes = 0;
};

}  // namespace parley::io
