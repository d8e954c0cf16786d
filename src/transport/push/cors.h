// What requests say beside their body; what lets pages of other origins send them (WHATWG
// Fetch 3.2).
#pragma once

#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace parley::transport::push {

// For an answer to a request whose origin is allowed; views of the request. Empty when it comes
// from no page of another origin.
std::vector<http::HeaderView> cors_headers(const http::Request& request);

// Answers the browser's question before a request; `methods` as in "POST, OPTIONS".
void respond_preflight(http::Exchange& exchange, std::string_view methods);

// Whether the request's body is bytes, not text.
bool is_binary(const http::Request& request);

}  // namespace parley::transport::push
