#include "server/routes.h"

#include "adapter/centrifuge/adapter.h"
#include "adapter/eventsource/adapter.h"
#include "transport/sse/sse_handler.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::server {

// A protocol is an include above and a call here.
void Routes::add_protocols() {
  const auth::Access& access = shared_.access;
  const std::string product = std::string(version()) + " Parley";
  add_websocket("/connection/websocket", {"centrifuge-json", "centrifuge-protobuf"},
                adapter::centrifuge::CentrifugeFactory({product}, access, shared_.rules));
  add_sse("/sse/", adapter::eventsource::EventSourceFactory(access));
}

Routes::Routes(const Shared& shared, hub::Hub& hub, session::SessionTable& sessions,
               auth::Authenticator& tokens)
    : shared_(shared),
      sessions_(sessions),
      publish_door_(hub, shared.access, tokens,
                    {.origins = shared.origins, .api_key = shared.api_key}),
      api_(hub, shared.node, {.key = shared.api_key, .insecure = shared.open_api}),
      health_(shared.node) {
  add_protocols();
  publish_door_.add_routes(router_);
  api_.add_routes(router_);
  health_.add_health_routes(router_);
  if (shared_.dev) health_.add_metrics_route(router_);
  if (shared_.dev) demo_.add_to(router_);
}

template <class Factory>
void Routes::add_websocket(std::string_view path, std::vector<std::string_view> subprotocols,
                           Factory factory) {
  transport::websocket::WebSocketOptions options{.subprotocols = std::move(subprotocols),
                                                 .origins = shared_.origins};
  router_.add("GET", path,
              keep_handler(std::make_unique<transport::websocket::WebSocketHandler>(
                  keep_factory(std::move(factory)), sessions_, std::move(options))));
}

template <class Factory>
void Routes::add_sse(std::string_view prefix, Factory factory) {
  transport::sse::SseOptions options{.origins = shared_.origins};
  router_.add_prefix("GET", prefix,
                     keep_handler(std::make_unique<transport::sse::SseHandler>(
                         keep_factory(std::move(factory)), sessions_, std::move(options))));
}

template <class Factory>
const session::AdapterFactory& Routes::keep_factory(Factory factory) {
  return *factories_.emplace_back(std::make_unique<Factory>(std::move(factory)));
}

http::Handler& Routes::keep_handler(std::unique_ptr<http::Handler> handler) {
  return *handlers_.emplace_back(std::move(handler));
}

}  // namespace parley::server
