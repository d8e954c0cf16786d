// What exists: every protocol, door and page, with its path. The only place that names them.
#pragma once

#include "adapter/centrifuge/adapter.h"
#include "adapter/eventsource/adapter.h"
#include "admin/demo_handler.h"
#include "http/router.h"
#include "http_api/health_handlers.h"
#include "http_api/publish_door.h"
#include "http_api/server_api.h"
#include "server/shard_world.h"
#include "transport/sse/sse_handler.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::server {

// What: the handlers of one shard. Owner: ShardWorld. Shard: its own.
class Routes {
 public:
  Routes(const Shared& shared, hub::Hub& hub, session::SessionTable& sessions);
  void add_to(http::Router& router);

 private:
  const Shared& shared_;
  adapter::centrifuge::CentrifugeFactory centrifuge_;
  transport::websocket::WebSocketHandler centrifuge_websocket_;
  adapter::eventsource::EventSourceFactory eventsource_;
  transport::sse::SseHandler eventsource_sse_;
  http_api::PublishDoor publish_door_;
  http_api::ServerApi api_;
  http_api::HealthHandlers health_;
  admin::DemoHandler demo_;
};

}  // namespace parley::server
