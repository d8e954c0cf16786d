// What an operator can set for the Centrifuge protocol.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "base/token_bucket.h"

namespace parley::adapter::centrifuge {

struct Options {
  std::string version = "0.1.0 Parley";  // told to clients in the connect result
  std::string node;                      // ... over transports that need another one to send
  seconds stale_after{10};               // without a connect by then: disconnect 3502
  seconds ping_interval{25};             // 0: no pings
  seconds pong_timeout{8};               // less than the interval; no pong by then: 3012
  seconds expired_close_delay{25};       // behind the connection's expiry: disconnect 3005
  seconds expired_sub_close_delay{25};   // behind a subscription's: unsubscribe 2501, or 3006
  seconds unsubscribe_wait{5};           // for a subscribe in flight; longer: disconnect 3004
  bool include_server_time = false;      // tell the time in the connect result
  uint32_t channel_limit = 128;          // subscriptions of one connection; above: error 106
  // Of one connection; above: error 111. A publish is a command too.
  Rate commands;
  Rate publishes;
  // Commands of one connection that are refused for a rate, its own or another; above: disconnect
  // 3013.
  Rate refusals{.per_second = 100};
  uint32_t history_limit = 300;   // publications in one history reply
  uint32_t recovery_limit = 300;  // more missed ones than this are not recovered
  // One reply. History gives fewer publications to stay below, recovery fails; what then is still
  // larger is error 106.
  size_t reply_bytes = 512 << 10;
  // What may wait for the reply to connect; more is disconnect 3013.
  size_t held_bytes = 128 << 10;
  size_t held_frames = 64;
};

}  // namespace parley::adapter::centrifuge
