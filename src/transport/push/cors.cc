#include "transport/push/cors.h"

namespace parley::transport::push {

std::vector<http::HeaderView> cors_headers(const http::Request& request) {
  const std::string_view origin = request.header("Origin");
  if (origin.empty()) return {};
  return {{"Access-Control-Allow-Origin", origin},
          {"Access-Control-Allow-Credentials", "true"},
          {"Vary", "Origin"}};
}

void respond_preflight(http::Exchange& exchange, std::string_view methods) {
  const http::Request& request = exchange.request();
  auto headers = cors_headers(request);
  // Only here: it is the question that browsers ask, and nobody else's words are told back.
  const std::string_view wanted = request.header("Access-Control-Request-Headers");
  if (!wanted.empty() && wanted != "null")
    headers.push_back({"Access-Control-Allow-Headers", wanted});
  headers.push_back({"Access-Control-Max-Age", "300"});
  headers.push_back({"Access-Control-Allow-Methods", methods});
  exchange.respond(204, {}, {}, headers);
}

bool is_binary(const http::Request& request) {
  return request.header("Content-Type") == "application/octet-stream";
}

}  // namespace parley::transport::push
