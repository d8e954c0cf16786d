// Transports, APIs and pages: what clients, backends and people knock at.
#include <array>

#include "config/option_rows.h"

namespace parley::config {
namespace {

void add_websocket_rows(std::vector<Option>& out) {
  Rows rows(out, "websocket");
  constexpr auto kSocket = &Config::websocket;
  rows.supported<kSocket, &WebSocket::disabled>("disabled", "false", "No WebSocket is served.");
  rows.supported<kSocket, &WebSocket::handler_prefix>("handler_prefix", "/connection/websocket",
                                                      "The path of the endpoint.");
  rows.supported<kSocket, &WebSocket::message_size_limit>("message_size_limit", "65536",
                                                          "Bytes of a message from a client.");
  rows.supported<kSocket, &WebSocket::compression>(
      "compression", "false",
      "Messages are compressed (permessage-deflate) for clients that offer it.");
  rows.supported<kSocket, &WebSocket::compression_min_size>(
      "compression_min_size", "128", "Bytes of a message; smaller ones are sent as they are.");
  rows.supported<kSocket, &WebSocket::compression_level>("compression_level", "1",
                                                         "From 1 (fast) to 9 (small).");
  rows.supported<kSocket, &WebSocket::decompressed_message_size_limit>(
      "decompressed_message_size_limit", "0",
      "Bytes of a compressed message from a client once it is inflated; 0: as "
      "message_size_limit.");
  const std::string_view own = "Parley sizes its buffers itself";
  rows.warned("read_buffer_size", Type::kInt, "0", own);
  rows.warned("write_buffer_size", Type::kInt, "0", own);
  rows.warned("use_write_buffer_pool", Type::kBool, "false", own);
  rows.warned("write_timeout", Type::kDuration, "1s",
              "a client that takes nothing for 30 seconds is disconnected");
}

void add_own_rows(std::vector<Option>& out) {
  Rows events(out, "event_stream");
  constexpr auto kEvents = &Config::event_stream;
  events
      .supported<kEvents, &EventStream::enabled>(
          "enabled", "true", "`GET /sse/<channel>` serves text/event-stream to browsers.")
      .of_parley();
  events
      .supported<kEvents, &EventStream::handler_prefix>("handler_prefix", "/sse",
                                                        "The path before the channel's name.")
      .of_parley();
  events
      .supported<kEvents, &EventStream::heartbeat>(
          "heartbeat", "15s", "Between two comments that keep proxies patient; 0: none.")
      .of_parley();
  Rows pub(out, "pub");
  constexpr auto kPub = &Config::pub;
  pub.supported<kPub, &Pub::enabled>("enabled", "true",
                                     "`POST /pub/<channel>` publishes, where clients may.")
      .of_parley();
  pub.supported<kPub, &Pub::handler_prefix>("handler_prefix", "/pub",
                                            "The path before the channel's name.")
      .of_parley();
  pub.supported<kPub, &Pub::max_request_body_size>("max_request_body_size", "1048576",
                                                   "Bytes of a publication.")
      .of_parley();
}

constexpr std::array kErrorModes = {Choice{"", static_cast<int>(ErrorMode::kResult)},
                                    Choice{"transport", static_cast<int>(ErrorMode::kTransport)}};

void add_api_rows(std::vector<Option>& out) {
  Rows api(out, "http_api");
  constexpr auto kApi = &Config::http_api;
  api.supported<kApi, &HttpApi::disabled>("disabled", "false", "The server API is not served.");
  api.supported<kApi, &HttpApi::handler_prefix>("handler_prefix", "/api", "The path of the API.");
  api.supported<kApi, &HttpApi::key>("key", "",
                                     "The key that callers show; empty: everyone is refused.");
  api.supported<kApi, &HttpApi::insecure>("insecure", "false",
                                          "For development: the API asks for no key.");
  api.supported<kApi, &HttpApi::error_mode>("error_mode", "",
                                            "How errors are told: in a body with status 200, or, "
                                            "with `transport`, by the HTTP status.")
      .one_of(kErrorModes);
  api.supported<kApi, &HttpApi::external>(
      "external", "false", "With an internal port, the API is served on the public one too.");
  Rows grpc(out, "grpc_api");
  grpc.warned("enabled", Type::kBool, "false", "the API is served over HTTP only");
  grpc.idle("", "only with grpc_api.enabled",
            {{"error_mode"},
             {"address"},
             {"port", Type::kInt, "10000"},
             {"key"},
             {"tls.enabled", Type::kBool, "false"},
             {"reflection", Type::kBool, "false"},
             {"max_receive_message_size", Type::kInt, "0"}});
  add_tls_rows(out, "grpc_api.tls", "only with grpc_api.enabled");
}

template <auto Section>
void add_push_rows(std::vector<Option>& out, const std::string& name, std::string_view what) {
  Rows rows(out, name);
  rows.supported<Section, &HttpPush::enabled>("enabled", "false", what);
  rows.supported<Section, &HttpPush::handler_prefix>("handler_prefix", "/connection/" + name,
                                                     "The path of the endpoint.");
  rows.supported<Section, &HttpPush::max_request_body_size>(
      "max_request_body_size", "65536", "Bytes of the request that opens a stream.");
}

void add_http_stream_rows(std::vector<Option>& out) {
  add_push_rows<&Config::http_stream>(
      out, "http_stream", "Both ways over HTTP: a stream of messages, and `emulation` for theirs.");
  add_push_rows<&Config::sse>(out, "sse", "The same with server-sent events.");
  Rows emulation(out, "emulation");
  constexpr auto kEmulation = &Config::emulation;
  emulation.supported<kEmulation, &Emulation::handler_prefix>(
      "handler_prefix", "/emulation", "Where clients of `http_stream` and `sse` send commands.");
  emulation.supported<kEmulation, &Emulation::max_request_body_size>(
      "max_request_body_size", "65536", "Bytes of a request with commands.");
}

void add_one_way_rows(std::vector<Option>& out) {
  add_push_rows<&Config::uni_http_stream>(out, "uni_http_stream",
                                          "A stream of JSON lines to clients that only listen.");
  add_push_rows<&Config::uni_sse>(out, "uni_sse",
                                  "Server-sent events to clients that only listen.");
  for (const std::string name : {"uni_sse", "uni_http_stream"}) {
    Rows rows(out, name);
    rows.warned("connect_code_to_http_response.enabled", Type::kBool, "false",
                "a refused connect is told by a disconnect push");
    rows.idle("connect_code_to_http_response", "only with its enabled",
              {{"transforms", Type::kObjects}});
  }
  Rows socket(out, "uni_websocket");
  constexpr auto kSocket = &Config::uni_websocket;
  socket.supported<kSocket, &UniWebSocket::enabled>("enabled", "false",
                                                    "WebSocket to clients that only listen.");
  socket.supported<kSocket, &UniWebSocket::handler_prefix>(
      "handler_prefix", "/connection/uni_websocket", "The path of the endpoint.");
  socket.supported<kSocket, &UniWebSocket::message_size_limit>(
      "message_size_limit", "65536", "Bytes of the message to connect with.");
  socket.warned("compression", Type::kBool, "false", "messages of this transport are plain");
  socket.warned("disable_closing_handshake", Type::kBool, "false", "the end has its close frame");
  socket.warned("disable_disconnect_push", Type::kBool, "false", "the end is pushed as well");
  socket.warned("join_push_messages", Type::kBool, "false", "each push is a message");
  socket.idle("", "Parley sizes its buffers itself",
              {{"compression_min_size", Type::kInt, "0"},
               {"compression_level", Type::kInt, "1"},
               {"read_buffer_size", Type::kInt, "0"},
               {"use_write_buffer_pool", Type::kBool, "false"},
               {"write_buffer_size", Type::kInt, "0"},
               {"write_timeout", Type::kDuration, "1s"},
               {"decompressed_message_size_limit", Type::kInt, "0"}});
}

void add_other_transport_rows(std::vector<Option>& out) {
  const std::string closed = "this transport is not served, its clients cannot connect";
  for (const std::string name : {"webtransport", "uni_grpc"})
    Rows(out, name).warned("enabled", Type::kBool, "false", closed);
  Rows(out, "webtransport")
      .idle("", "only with this transport",
            {{"handler_prefix", Type::kString, "/connection/webtransport"},
             {"message_size_limit", Type::kInt, "65536"}});
  Rows(out, "uni_grpc")
      .idle("", "only with this transport",
            {{"address"},
             {"port", Type::kInt, "11000"},
             {"max_receive_message_size", Type::kInt, "0"},
             {"tls.enabled", Type::kBool, "false"}});
  add_tls_rows(out, "uni_grpc.tls", "only with this transport");
}

void add_page_rows(std::vector<Option>& out) {
  Rows metrics(out, "prometheus");
  metrics.supported<&Config::prometheus, &Prometheus::enabled>(
      "enabled", "false", "Metrics for Prometheus are served.");
  metrics.supported<&Config::prometheus, &Prometheus::handler_prefix>("handler_prefix", "/metrics",
                                                                      "The path of the metrics.");
  for (const char* name :
       {"instrument_http_handlers", "recovered_publications_histogram", "native_histograms"})
    metrics.warned(name, Type::kBool, "false", "these metrics are not there");
  Rows health(out, "health");
  health.supported<&Config::health, &Health::enabled>("enabled", "false",
                                                      "A page for load balancers is served.");
  health.supported<&Config::health, &Health::handler_prefix>("handler_prefix", "/health",
                                                             "The path of the page.");
  Rows admin(out, "admin");
  admin.warned("enabled", Type::kBool, "false", "there is no admin console yet");
  admin.idle("", "only with admin.enabled",
             {{"handler_prefix"},
              {"password"},
              {"secret"},
              {"insecure", Type::kBool, "false"},
              {"web_path"},
              {"web_proxy_address"},
              {"external", Type::kBool, "false"}});
  const std::pair<const char*, const char*> pages[] = {
      {"swagger", "/swagger"}, {"debug", "/debug/pprof"}, {"init", "/connection/init"}};
  for (const auto& [name, path] : pages) {
    Rows page(out, name);
    page.warned("enabled", Type::kBool, "false", "this page is not served");
    page.idle("", "only with this page", {{"handler_prefix", Type::kString, path}});
  }
}

}  // namespace

void add_door_rows(std::vector<Option>& out) {
  add_websocket_rows(out);
  add_own_rows(out);
  add_api_rows(out);
  add_http_stream_rows(out);
  add_one_way_rows(out);
  add_other_transport_rows(out);
  add_page_rows(out);
}

}  // namespace parley::config
