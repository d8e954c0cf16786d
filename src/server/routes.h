// What exists: every protocol, door and page, with its path. The only place that names them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "admin/demo_handler.h"
#include "http/admission.h"
#include "http/router.h"
#include "http_api/health_handlers.h"
#include "http_api/publish_door.h"
#include "http_api/server_api.h"
#include "server/shard_world.h"
#include "session/adapter.h"
#include "session/uplinks.h"
#include "transport/push/push_handler.h"
#include "transport/websocket/compression.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::server {

// What: the router of one shard, and the factories and handlers behind it. Owner: ShardWorld.
// Shard: its own.
class Routes {
 public:
  Routes(const Shared& shared, const ShardPolicy& policy, auth::Authenticator& tokens,
         auth::TicketDesk& tickets, hub::Hub& hub, session::SessionTable& sessions,
         session::Uplinks& uplinks, http::Admission& admission);
  const http::Router& router() const { return router_; }
  // Memory is scarce: nothing is compressed.
  void save(bool saving) { compression_.pause(saving); }
  // For the internal port: server API, metrics and health.
  const http::Router& internal_router() const { return internal_router_; }

 private:
  void add_pages();
  void add_protocols(const hub::ChannelRules& rules, const auth::Access& access);
  transport::websocket::WebSocketOptions websocket_options(
      std::vector<std::string_view> subprotocols);
  // GET `path` is a WebSocket that speaks the factory's protocol.
  void add_websocket(std::string_view path, const session::AdapterFactory& factory,
                     transport::websocket::WebSocketOptions options);
  // GET `prefix`<channel> is an event stream of the factory's protocol.
  template <class Factory>
  void add_sse(std::string_view prefix, Factory factory);
  // The factory's protocol for clients whose WebSocket is blocked, as configured.
  void add_streams(const session::AdapterFactory& factory);
  // ... and for clients that only listen.
  void add_listeners(const session::AdapterFactory& factory);
  void add_push(const config::HttpPush& config, const session::AdapterFactory& factory,
                transport::push::PushOptions options);

  template <class Factory>
  const session::AdapterFactory& keep_factory(Factory factory);
  http::Handler& keep_handler(std::unique_ptr<http::Handler> handler);
  // A door through which clients come to stay.
  http::Handler& keep_door(std::unique_ptr<http::Handler> door,
                           http::RefusalWords words = http::say_unavailable,
                           http::Stays stays = http::Stays::kAll);

  const Shared& shared_;
  session::SessionTable& sessions_;
  session::Uplinks& uplinks_;
  http::Admission& admission_;
  transport::websocket::Compression compression_;
  std::vector<std::unique_ptr<session::AdapterFactory>> factories_;
  std::vector<std::unique_ptr<http::Handler>> handlers_;  // borrow their factories
  http_api::PublishDoor publish_door_;
  http_api::ServerApi api_;
  http_api::HealthHandlers health_;
  admin::DemoHandler demo_;
  http::Router router_;  // borrows the handlers
  http::Router internal_router_;
};

}  // namespace parley::server
