#include "server/routes.h"

namespace parley::server {

Routes::Routes(const Shared& shared, hub::Hub&, session::SessionTable& sessions)
    : shared_(shared),
      centrifuge_({}, shared.access, shared.rules),
      centrifuge_websocket_(centrifuge_, sessions,
                            {.subprotocols = {"centrifuge-json"}, .origins = shared.origins}),
      eventsource_(shared.access),
      eventsource_sse_(eventsource_, sessions, {.origins = shared.origins}) {}

void Routes::add_to(http::Router& router) {
  router.add("GET", "/connection/websocket", centrifuge_websocket_);
  router.add_prefix("GET", "/sse/", eventsource_sse_);
  if (shared_.demo) demo_.add_to(router);
}

}  // namespace parley::server
