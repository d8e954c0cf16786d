#include "http_api/health_handlers.h"

#include "base/metrics.h"
#include "codec/json/write.h"
#include "http/exchange.h"

namespace parley::http_api {
namespace {

constexpr std::string_view kReady = "/ready";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// As JSON: what an operator should know although all is well.
Buffer warnings(std::span<const std::string> insecure) {
  if (insecure.empty()) return "{}";
  Buffer out = R"({"insecure":[)";
  for (const std::string& one : insecure) {
    if (&one != insecure.data()) out += ',';
    codec::json::append_string(out, one);
  }
  return out + "]}";
}

}  // namespace

void HealthHandlers::add_health_routes(http::Router& router) {
  for (const std::string_view behind : {std::string_view(), std::string_view("/live"), kReady})
    router.add("GET", paths_.health + std::string(behind), *this);
}

void HealthHandlers::add_metrics_route(http::Router& router) {
  router.add("GET", paths_.metrics, *this);
}

void HealthHandlers::handle(http::Exchange& exchange) {
  reply_to(exchange)(answer(exchange.request().path));
}

Answer HealthHandlers::answer(std::string_view path) const {
  if (path == paths_.metrics) return {.content_type = kMetricsType, .body = metrics::render()};
  const auto waiting_for = path.ends_with(kReady) ? readiness_.waiting_for() : std::string_view();
  if (waiting_for.empty()) return {.body = warnings(readiness_.insecure())};
  Answer out{.status = 503, .body = R"({"waiting_for":)"};
  codec::json::append_string(out.body, waiting_for);
  out.body += '}';
  return out;
}

}  // namespace parley::http_api
