// The numbers that http counts about itself; see base/metrics.h.
#pragma once

#include "base/metrics.h"
#include "codec/http1/decode_error.h"

namespace parley::http::meters {

// Why a request was refused before a handler saw it, besides codec::http1::DecodeError.
enum class Refusal : uint8_t { kBadPath, kNotFound, kMethodNotAllowed, kForeignPage };

// What a connection waited for in vain.
enum class Late : uint8_t { kFirstRequest, kHeaders, kBody, kNextRequest, kWrite };

void count_response(int status);
void count_refusal(Refusal refusal);
void count_refusal(codec::http1::DecodeError error);
// 404, 405 or 400: no route takes the request.
void count_unrouted(int status);

extern metrics::Gauge open_connections;
extern metrics::Counter taken_over;
extern metrics::CounterFamily timeouts;
extern metrics::Counter output_pauses;

}  // namespace parley::http::meters
