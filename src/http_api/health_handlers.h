// What orchestrators and Prometheus ask.
#pragma once

#include <string>

#include "http/router.h"
#include "http_api/answer.h"
#include "http_api/node_info.h"

namespace parley::http_api {

struct HealthPaths {
  std::string health = "/health";
  std::string metrics = "/metrics";
};

// What: GET /health/live (200 while the shard turns), /health/ready (200, or 503 with the reason),
// /health ({}, as Centrifugo, or what is insecure), /metrics (Prometheus text 0.0.4). Owner: the
// server, one per shard or one for all: it changes nothing. Shard: any. Failure: none.
class HealthHandlers final : public http::Handler {
 public:
  explicit HealthHandlers(const Readiness& readiness, HealthPaths paths = {})
      : readiness_(readiness), paths_(std::move(paths)) {}

  void add_health_routes(http::Router& router);
  void add_metrics_route(http::Router& router);
  void handle(http::Exchange& exchange) override;

  // The same without a connection.
  Answer answer(std::string_view path) const;

 private:
  const Readiness& readiness_;
  HealthPaths paths_;
};

}  // namespace parley::http_api
