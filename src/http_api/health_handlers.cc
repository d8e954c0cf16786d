#include "http_api/health_handlers.h"

#include "base/metrics.h"
#include "codec/json/write.h"
#include "http/exchange.h"

namespace parley::http_api {
namespace {

constexpr std::string_view kReadyPath = "/health/ready";
constexpr std::string_view kMetricsPath = "/metrics";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

void HealthHandlers::add_health_routes(http::Router& router) {
  for (const std::string_view path :
       {std::string_view("/health"), std::string_view("/health/live"), kReadyPath})
    router.add("GET", path, *this);
}

void HealthHandlers::add_metrics_route(http::Router& router) {
  router.add("GET", kMetricsPath, *this);
}

void HealthHandlers::handle(http::Exchange& exchange) {
  reply_to(exchange)(answer(exchange.request().path));
}

Answer HealthHandlers::answer(std::string_view path) const {
  if (path == kMetricsPath) return {.content_type = kMetricsType, .body = metrics::render()};
  const auto waiting_for = path == kReadyPath ? readiness_.waiting_for() : std::string_view();
  if (waiting_for.empty()) return {.body = "{}"};
  Answer out{.status = 503, .body = R"({"waiting_for":)"};
  codec::json::append_string(out.body, waiting_for);
  out.body += '}';
  return out;
}

}  // namespace parley::http_api
