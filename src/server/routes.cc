#include "server/routes.h"

#include "adapter/centrifuge/adapter.h"
#include "adapter/eventsource/adapter.h"
#include "server/echo_adapter.h"
#include "transport/push/push_handler.h"
#include "transport/push/uplink_handler.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::server {
namespace {

using transport::push::PushFormat;

constexpr size_t kEchoMessageBytes = 16 << 20;

http::OriginPolicy origins_of(const Shared& shared) {
  return shared.dev ? http::OriginPolicy({"*"})
                    : http::OriginPolicy(shared.config.client.allowed_origins);
}

http_api::PublishDoorOptions pub_options(const Shared& shared,
                                         const auth::Revocations* revocations) {
  const config::Config& config = shared.config;
  return {.origins = origins_of(shared),
          .data_bytes = config.pub.max_request_body_size,
          .api_key = config.http_api.key,
          .prefix = config.pub.handler_prefix,
          .quotas = shared.quotas.limits_rates() ? &shared.quotas : nullptr,
          .revocations = revocations};
}

http_api::ServerApiOptions api_options(const Shared& shared, const auth::Access& access,
                                       auth::TicketDesk& tickets) {
  const config::HttpApi& api = shared.config.http_api;
  return {.key = api.key,
          .insecure = shared.dev || api.insecure,
          .transport_errors = api.error_mode == config::ErrorMode::kTransport,
          .prefix = api.handler_prefix,
          .access = &access,
          .tickets = &tickets};
}

transport::websocket::CompressionOptions compression_options(const config::WebSocket& socket) {
  return {.level = socket.compression_level, .min_bytes = socket.compression_min_size};
}

seconds at_least(Duration duration) { return std::chrono::ceil<seconds>(duration); }

// Where a client's connect command stands in a request that may be a GET.
constexpr std::string_view kConnectParameter = "cf_connect";

}  // namespace

// A protocol is an include above and a call here.
void Routes::add_protocols(const hub::ChannelRules& rules, const auth::Access& access) {
  const config::Config& config = shared_.config;
  const config::Client& client = config.client;
  const auto& sdks = keep_factory(adapter::centrifuge::CentrifugeFactory(
      {.version = std::string(version()) + " Parley",
       .node = shared_.node.facts().uid,
       .stale_after = at_least(client.stale_close_delay),
       .ping_interval = at_least(client.ping_interval),
       .pong_timeout = at_least(client.pong_timeout),
       .expired_close_delay = at_least(client.expired_close_delay),
       .expired_sub_close_delay = at_least(client.expired_sub_close_delay),
       .include_server_time = client.connect_include_server_time,
       .channel_limit = client.channel_limit,
       .commands = {.per_second = client.command_rate_limit},
       .publishes = {.per_second = client.publish_rate_limit},
       .refusals = {.per_second = client.refused_command_rate_limit},
       .history_limit = client.history_max_publication_limit,
       .recovery_limit = client.recovery_max_publication_limit},
      access, rules));
  if (!config.websocket.disabled)
    add_websocket(config.websocket.handler_prefix, sdks,
                  websocket_options({"centrifuge-json", "centrifuge-protobuf"}));
  add_streams(sdks);
  add_listeners(sdks);
  if (config.event_stream.enabled)
    add_sse(config.event_stream.handler_prefix + "/",
            adapter::eventsource::EventSourceFactory(
                access, {.heartbeat = config.event_stream.heartbeat,
                         .unheard = std::max(at_least(client.pong_timeout), seconds(1))}));
  if (shared_.echo)
    add_websocket("/echo", keep_factory(EchoFactory()),
                  {.message_bytes = kEchoMessageBytes,
                   .origins = origins_of(shared_),
                   .compression = &compression_});
}

void Routes::add_streams(const session::AdapterFactory& factory) {
  const config::Config& config = shared_.config;
  if (!shared_.dev && !config.http_stream.enabled && !config.sse.enabled) return;
  add_push(config.http_stream, factory,
           {.transport = "http_stream",
            .format = PushFormat::kLines,
            .binary_format = PushFormat::kBytes,
            .first = transport::push::FirstMessage{},
            .uplinks = &uplinks_,
            .methods = "POST, OPTIONS"});
  add_push(config.sse, factory,
           {.transport = "sse",
            .format = PushFormat::kEventData,
            .first = transport::push::FirstMessage{.parameter = kConnectParameter},
            .uplinks = &uplinks_,
            .methods = "GET, POST, OPTIONS"});
  auto& uplink = keep_handler(
      std::make_unique<transport::push::UplinkHandler>(factory, uplinks_, origins_of(shared_)));
  const config::Emulation& emulation = config.emulation;
  router_.add("POST", emulation.handler_prefix, uplink, emulation.max_request_body_size);
  router_.add("OPTIONS", emulation.handler_prefix, uplink);
}

void Routes::add_listeners(const session::AdapterFactory& factory) {
  const config::Config& config = shared_.config;
  // Who says nothing connects with nothing.
  const transport::push::FirstMessage first{.parameter = kConnectParameter, .otherwise = "null"};
  add_push(config.uni_http_stream, factory,
           {.transport = "uni_http_stream",
            .format = PushFormat::kLines,
            .first = first,
            .methods = "POST, OPTIONS"});
  add_push(config.uni_sse, factory,
           {.transport = "uni_sse",
            .format = PushFormat::kEventData,
            .first = first,
            .methods = "GET, POST, OPTIONS"});
  if (!shared_.dev && !config.uni_websocket.enabled) return;
  add_websocket(config.uni_websocket.handler_prefix, factory,
                {.message_bytes = config.uni_websocket.message_size_limit,
                 .first_message_bytes = config.client.message_size_limit_before_connect,
                 .origins = origins_of(shared_),
                 .transport = "uni_websocket",
                 .one_way = true,
                 .first_parameter = kConnectParameter});
}

void Routes::add_push(const config::HttpPush& config, const session::AdapterFactory& factory,
                      transport::push::PushOptions options) {
  if (!shared_.dev && !config.enabled) return;
  options.origins = origins_of(shared_);
  const std::string methods(options.methods);
  // The body is what the client says first.
  const uint64_t body_bytes = std::min(config.max_request_body_size,
                                       shared_.config.client.message_size_limit_before_connect);
  // What a plain EventSource may come to; SDKs come again whatever they are told.
  const bool events = options.uplinks == nullptr && options.format == PushFormat::kEventData;
  auto& handler = keep_door(
      std::make_unique<transport::push::PushHandler>(factory, sessions_, std::move(options)),
      events ? transport::push::say_later : transport::push::say_unavailable);
  for (const std::string_view method : {"GET", "POST", "OPTIONS"})
    if (methods.find(method) != methods.npos)
      router_.add(method, config.handler_prefix, handler, body_bytes);
}

Routes::Routes(const Shared& shared, const ShardPolicy& policy, auth::Authenticator& tokens,
               auth::TicketDesk& tickets, hub::Hub& hub, session::SessionTable& sessions,
               session::Uplinks& uplinks, http::Admission& admission)
    : shared_(shared),
      sessions_(sessions),
      uplinks_(uplinks),
      admission_(admission),
      compression_(compression_options(shared.config.websocket)),
      publish_door_(hub, policy, tokens, pub_options(shared, &policy.revocations())),
      api_(hub, shared.node, api_options(shared, policy, tickets)),
      health_(shared.node, {.health = shared.config.health.handler_prefix,
                            .metrics = shared.config.prometheus.handler_prefix}) {
  add_protocols(policy, policy);
  if (shared.config.pub.enabled) publish_door_.add_routes(router_);
  add_pages();
}

// What is not for clients: at the internal port, or, without one, where it is configured.
void Routes::add_pages() {
  const config::Config& config = shared_.config;
  const bool internal = config.http_server.internal_port != 0;
  if (internal) {
    health_.add_health_routes(internal_router_);
    health_.add_metrics_route(internal_router_);
    if (!config.http_api.disabled) api_.add_routes(internal_router_);
  }
  if (!config.http_api.disabled && (!internal || config.http_api.external))
    api_.add_routes(router_);
  if (shared_.dev || (config.health.enabled && !internal)) health_.add_health_routes(router_);
  if (shared_.dev || (config.prometheus.enabled && !internal)) health_.add_metrics_route(router_);
  if (shared_.dev) demo_.add_to(router_);
}

transport::websocket::WebSocketOptions Routes::websocket_options(
    std::vector<std::string_view> subprotocols) {
  const config::WebSocket& config = shared_.config.websocket;
  return {.message_bytes = config.message_size_limit,
          .first_message_bytes = shared_.config.client.message_size_limit_before_connect,
          .subprotocols = std::move(subprotocols),
          .origins = origins_of(shared_),
          .compression = config.compression ? &compression_ : nullptr,
          .inflated_bytes = config.decompressed_message_size_limit};
}

void Routes::add_websocket(std::string_view path, const session::AdapterFactory& factory,
                           transport::websocket::WebSocketOptions options) {
  router_.add("GET", path,
              keep_door(std::make_unique<transport::websocket::WebSocketHandler>(
                            factory, sessions_, std::move(options)),
                        http::say_unavailable, http::Stays::kUpgrades));
}

template <class Factory>
void Routes::add_sse(std::string_view prefix, Factory factory) {
  transport::push::PushOptions options{.origins = origins_of(shared_)};
  router_.add_prefix("GET", prefix,
                     keep_door(std::make_unique<transport::push::PushHandler>(
                                   keep_factory(std::move(factory)), sessions_, std::move(options)),
                               transport::push::say_later));
}

template <class Factory>
const session::AdapterFactory& Routes::keep_factory(Factory factory) {
  return *factories_.emplace_back(std::make_unique<Factory>(std::move(factory)));
}

http::Handler& Routes::keep_door(std::unique_ptr<http::Handler> door, http::RefusalWords words,
                                 http::Stays stays) {
  http::Handler& inner = keep_handler(std::move(door));
  return keep_handler(
      std::make_unique<http::GuardedHandler>(inner, admission_, origins_of(shared_), words, stays));
}

http::Handler& Routes::keep_handler(std::unique_ptr<http::Handler> handler) {
  return *handlers_.emplace_back(std::move(handler));
}

}  // namespace parley::server
