#include "server/routes.h"

namespace parley::server {

Routes::Routes(const Shared& shared, hub::Hub& hub, session::SessionTable& sessions)
    : shared_(shared),
      centrifuge_({.version = std::string(version()) + " Parley"}, shared.access, shared.rules),
      centrifuge_websocket_(centrifuge_, sessions,
                            {.subprotocols = {"centrifuge-json"}, .origins = shared.origins}),
      eventsource_(shared.access),
      eventsource_sse_(eventsource_, sessions, {.origins = shared.origins}),
      publish_door_(hub, shared.access, {.origins = shared.origins}),
      api_(hub, shared.node, {.key = shared.api_key, .insecure = shared.open_api}),
      health_(shared.node) {}

void Routes::add_to(http::Router& router) {
  router.add("GET", "/connection/websocket", centrifuge_websocket_);
  router.add_prefix("GET", "/sse/", eventsource_sse_);
  publish_door_.add_routes(router);
  api_.add_routes(router);
  health_.add_health_routes(router);
  if (shared_.dev) health_.add_metrics_route(router);
  if (shared_.dev) demo_.add_to(router);
}

}  // namespace parley::server
