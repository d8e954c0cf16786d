// What an operator can set for the Centrifuge protocol.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace parley::adapter::centrifuge {

struct Options {
  std::string version = "0.1.0 Parley";  // told to clients in the connect result
  seconds stale_after{10};               // without a connect by then: disconnect 3502
  seconds ping_interval{25};             // 0: no pings
  seconds pong_timeout{8};               // less than the interval; no pong by then: 3012
  uint32_t channel_limit = 128;          // subscriptions of one connection; above: error 106
  uint32_t history_limit = 300;          // publications in one history reply
  uint32_t recovery_limit = 300;         // more missed ones than this are not recovered
  // One reply. History gives fewer publications to stay below, recovery fails; what then is still
  // larger is error 106.
  size_t reply_bytes = 512 << 10;
};

}  // namespace parley::adapter::centrifuge
