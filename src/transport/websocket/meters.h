// The numbers of the WebSocket transport; see base/metrics.h.
#pragma once

#include "base/metrics.h"
#include "codec/websocket/frame_header.h"

namespace parley::transport::websocket::meters {

extern metrics::Gauge connections;
extern metrics::Counter messages_received;
extern metrics::Counter ping_floods;
extern metrics::Counter deflate_agreed;
extern metrics::Counter deflated_messages, deflated_bytes_in, deflated_bytes_out;
extern metrics::Counter inflated_messages, inflated_bytes_in, inflated_bytes_out;

// By the status of the answer: 403, 426 or 400.
void count_refusal(int status);
// By the code of the close frame: 1007, 1008, 1009 or 1002; compressed messages apart.
void count_error(const codec::websocket::DecodeFailure& failure);
// 1009 before the session was known, by the limit that holds until then.
void count_too_big_at_first();
enum class LeftPlain : uint8_t { kNotSmaller, kPaused };
void count_left_plain(LeftPlain reason);

}  // namespace parley::transport::websocket::meters
