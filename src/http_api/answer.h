// What a handler answers, and the way back to whoever asked.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/http1/request.h"

namespace parley::http {
class Exchange;
}

namespace parley::http_api {

using codec::http1::Header;
using codec::http1::Request;

inline constexpr std::string_view kJsonType = "application/json";

struct Answer {
  int status = 200;
  std::string_view content_type = kJsonType;  // "": there is no body
  Buffer body;
  std::vector<Header> headers = {};
};

// 503 for work that was certainly not done.
inline constexpr std::string_view kRetryAfterSeconds = "1";
Answer overloaded(Buffer body);
// 429 for the same, where it is about who asks.
Answer too_often(Buffer body);

// Called at most once, now or in a later turn of the shard. Does nothing when the client has left
// meanwhile; dropping it uncalled leaves the request to the connection's own end.
using ReplyTo = std::move_only_function<void(Answer)>;

// Defers the exchange.
ReplyTo reply_to(http::Exchange& exchange);

}  // namespace parley::http_api
