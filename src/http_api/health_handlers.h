// What orchestrators and Prometheus ask.
#pragma once

#include "http/router.h"
#include "http_api/answer.h"
#include "http_api/node_info.h"

namespace parley::http_api {

// What: GET /health/live (200 while the shard turns), /health/ready (200, or 503 with the reason),
// /health ({}, as Centrifugo), /metrics (Prometheus text 0.0.4). Owner: the server, one per shard
// or one for all: it holds no state. Shard: any. Failure: none.
class HealthHandlers final : public http::Handler {
 public:
  explicit HealthHandlers(const Readiness& readiness) : readiness_(readiness) {}

  void add_health_routes(http::Router& router);
  void add_metrics_route(http::Router& router);
  void handle(http::Exchange& exchange) override;

  // The same without a connection.
  Answer answer(std::string_view path) const;

 private:
  const Readiness& readiness_;
};

}  // namespace parley::http_api
