// The configuration as one typed value. Names and defaults are Centrifugo's (v6) wherever it has
// the option; what is Parley's own says so. What each option means: docs/configuration.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"

namespace parley::config {

struct HttpServer {
  std::string address;  // "": all interfaces
  uint16_t port = 8000;
  // Where the server API, metrics and health are served instead of at the port above; 0: there.
  uint16_t internal_port = 0;
  std::string internal_address;              // "": as `address`
  std::vector<std::string> trusted_proxies;  // Parley's own; networks
  bool operator==(const HttpServer&) const = default;
};

struct Log {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kConsole;  // Parley's own
  bool operator==(const Log&) const = default;
};

// How tokens are verified. All empty: no token is valid.
struct Token {
  std::string hmac_secret_key;
  std::string hmac_previous_secret_key;
  int64_t hmac_previous_secret_key_valid_until = 0;  // seconds since 1970; 0: for ever
  std::string rsa_public_key;                        // PEM
  std::string ecdsa_public_key;                      // PEM
  std::string jwk;                                   // Parley's own: one key, as JSON Web Key
  std::string jwks_public_endpoint;                  // replaces all the keys above
  bool insecure_skip_jwks_endpoint_safety_check = false;
  std::string audience;
  std::string audience_regex;
  std::string issuer;
  std::string issuer_regex;
  std::string user_id_claim;  // instead of `sub`
  bool operator==(const Token&) const = default;
};

struct SubscriptionToken : Token {
  bool enabled = false;  // false: client.token verifies subscription tokens too
  bool operator==(const SubscriptionToken&) const = default;
};

struct PersonalChannel {
  bool enabled = false;
  std::string personal_channel_namespace;
  bool single_connection = false;
  bool operator==(const PersonalChannel&) const = default;
};

struct Client {
  std::vector<std::string> allowed_origins;
  Token token;
  SubscriptionToken subscription_token;
  bool allow_anonymous_connect_without_token = false;
  bool disallow_anonymous_connection_tokens = false;
  Duration ping_interval = seconds(25);
  Duration pong_timeout = seconds(8);
  Duration expired_close_delay = seconds(25);
  Duration expired_sub_close_delay = seconds(25);
  Duration stale_close_delay = seconds(10);
  uint32_t channel_limit = 128;
  uint32_t connection_limit = 0;               // 0: any; so below
  uint32_t connection_rate_limit = 0;          // a second
  uint32_t address_connection_rate_limit = 0;  // Parley's own; a second
  uint32_t user_connection_limit = 0;
  uint32_t address_connection_limit = 0;  // Parley's own
  // Parley's own, all a second: of one connection, of one user, of one address.
  uint32_t command_rate_limit = 0;
  uint32_t publish_rate_limit = 0;
  uint32_t user_command_rate_limit = 0;
  uint32_t user_publish_rate_limit = 0;
  uint32_t address_command_rate_limit = 0;
  uint32_t address_publish_rate_limit = 0;
  uint32_t refused_command_rate_limit = 100;            // of one connection
  Duration publish_max_delay = milliseconds(500);       // Parley's own; 0: never
  uint32_t ticket_limit = 10'000;                       // Parley's own; 0: none
  uint32_t queue_max_size = 1048576;                    // bytes
  uint32_t message_size_limit_before_connect = 57'344;  // Parley's own; bytes
  bool connect_include_server_time = false;
  uint32_t history_max_publication_limit = 300;
  uint32_t recovery_max_publication_limit = 300;
  bool insecure = false;
  bool insecure_skip_token_signature_verify = false;
  std::string user_id_http_header;
  PersonalChannel subscribe_to_user_personal_channel;
  bool operator==(const Client&) const = default;
};

enum class RecoveryMode : uint8_t { kStream, kCache };

// What a publication's data must be. kAny refuses empty data only; kBinary allows it.
enum class DataFormat : uint8_t { kAny, kJson, kJsonObject, kBinary };

// Parley's own: what happens to a reader that is too far behind. kByHistory: kResume with a
// history, kDropOldest without.
enum class Overflow : uint8_t { kByHistory, kResume, kDropOldest, kLatest, kBlock };

// The options of a namespace, or of the channels without one.
struct Namespace {
  std::string name;  // "" for channel.without_namespace
  bool presence = false;
  bool join_leave = false;
  bool force_push_join_leave = false;
  uint32_t history_size = 0;
  Duration history_ttl{0};
  Duration history_meta_ttl{0};  // load() puts channel.history_meta_ttl in place of 0
  bool force_positioning = false;
  bool allow_positioning = false;
  bool force_recovery = false;
  bool allow_recovery = false;
  RecoveryMode force_recovery_mode = RecoveryMode::kStream;
  bool auto_cache_recover = false;
  std::vector<std::string> allowed_delta_types;
  bool delta_publish = false;
  bool allow_tags_filter = false;
  bool allow_channel_compaction = false;
  bool allow_subscribe_for_client = false;
  bool allow_subscribe_for_anonymous = false;
  bool allow_publish_for_client = false;
  bool allow_publish_for_subscriber = false;
  bool allow_publish_for_anonymous = false;
  bool allow_presence_for_client = false;
  bool allow_presence_for_subscriber = false;
  bool allow_presence_for_anonymous = false;
  bool allow_history_for_client = false;
  bool allow_history_for_subscriber = false;
  bool allow_history_for_anonymous = false;
  bool allow_user_limited_channels = false;
  std::string channel_regex;  // RE2
  DataFormat publication_data_format =
      DataFormat::kAny;  // load() puts channel.publication_data_format in place of ""
  Overflow overflow = Overflow::kByHistory;
  uint32_t overflow_max_bytes = 1048576;
  Duration overflow_max_delay{0};           // 0: 1 s with kLatest, any otherwise
  Duration overflow_max_wait = seconds(1);  // kBlock: of a publish
  std::string overflow_key;         // kLatest: the tag that is a publication's key; "": none
  uint32_t publish_rate_limit = 0;  // Parley's own; of one channel, a second; 0: any
  bool operator==(const Namespace&) const = default;
};

struct Channel {
  Namespace without_namespace;
  std::vector<Namespace> namespaces;
  Duration history_meta_ttl = std::chrono::hours(720);
  DataFormat publication_data_format = DataFormat::kAny;
  uint32_t max_length = 255;
  std::string private_prefix = "$";  // "" switches the rule off; so below
  std::string namespace_boundary = ":";
  std::string user_boundary = "#";
  std::string user_separator = ",";
  bool operator==(const Channel&) const = default;
};

// How the server API tells the error of a single command: kResult in a body with status 200,
// kTransport by the HTTP status.
enum class ErrorMode : uint8_t { kResult, kTransport };

struct HttpApi {
  bool disabled = false;
  std::string handler_prefix = "/api";
  std::string key;  // "": everyone is refused, unless `insecure`
  bool insecure = false;
  ErrorMode error_mode = ErrorMode::kResult;
  bool external = false;  // served at the public port too, where there is an internal one
  bool operator==(const HttpApi&) const = default;
};

struct WebSocket {
  bool disabled = false;
  std::string handler_prefix = "/connection/websocket";
  uint32_t message_size_limit = 65536;
  bool compression = false;
  uint32_t compression_min_size = 128;  // bytes of a message
  int32_t compression_level = 1;
  uint32_t decompressed_message_size_limit = 0;  // 0: message_size_limit
  bool operator==(const WebSocket&) const = default;
};

// A stream to clients over HTTP.
struct HttpPush {
  bool enabled = false;
  std::string handler_prefix;
  uint32_t max_request_body_size = 65536;
  bool operator==(const HttpPush&) const = default;
};

// Where clients of http_stream and sse send what they have to say.
struct Emulation {
  std::string handler_prefix = "/emulation";
  uint32_t max_request_body_size = 65536;
  bool operator==(const Emulation&) const = default;
};

struct UniWebSocket {
  bool enabled = false;
  std::string handler_prefix = "/connection/uni_websocket";
  uint32_t message_size_limit = 65536;
  bool operator==(const UniWebSocket&) const = default;
};

// Parley's own: GET /sse/<channel> as text/event-stream.
struct EventStream {
  bool enabled = true;
  std::string handler_prefix = "/sse";
  Duration heartbeat = seconds(15);  // 0: none
  bool operator==(const EventStream&) const = default;
};

// Parley's own: POST /pub/<channel>.
struct Pub {
  bool enabled = true;
  std::string handler_prefix = "/pub";
  uint32_t max_request_body_size = 1048576;
  bool operator==(const Pub&) const = default;
};

struct Prometheus {
  bool enabled = false;
  std::string handler_prefix = "/metrics";
  bool operator==(const Prometheus&) const = default;
};

struct Health {
  bool enabled = false;
  std::string handler_prefix = "/health";
  bool operator==(const Health&) const = default;
};

struct Shutdown {
  Duration timeout = seconds(30);
  Duration spread = seconds(10);  // Parley's own
  bool operator==(const Shutdown&) const = default;
};

// Parley's own.
struct Memory {
  uint64_t limit = 0;  // bytes; 0: none
  bool operator==(const Memory&) const = default;
};

// Parley's own.
struct Revocations {
  uint32_t max_entries = 100'000;
  bool operator==(const Revocations&) const = default;
};

struct UserStatus {
  bool enabled = false;
  Duration expire_interval = std::chrono::hours(744);
  uint32_t max_users = 100'000;  // Parley's own
  bool operator==(const UserStatus&) const = default;
};

struct Node {
  std::string name;  // "": host name and port
  bool operator==(const Node&) const = default;
};

struct Config {
  HttpServer http_server;
  Log log;
  Client client;
  Channel channel;
  HttpApi http_api;
  WebSocket websocket;
  HttpPush http_stream{.handler_prefix = "/connection/http_stream"};
  HttpPush sse{.handler_prefix = "/connection/sse"};
  Emulation emulation;
  UniWebSocket uni_websocket;
  HttpPush uni_http_stream{.handler_prefix = "/connection/uni_http_stream"};
  HttpPush uni_sse{.handler_prefix = "/connection/uni_sse"};
  EventStream event_stream;
  Pub pub;
  Prometheus prometheus;
  Health health;
  Shutdown shutdown;
  Memory memory;
  Revocations revocations;
  UserStatus user_status;
  Node node;
  uint32_t shards = 0;                // Parley's own: threads that serve clients; 0: one per core
  std::vector<std::string> warnings;  // insecure modes that are on, a sentence each

  bool operator==(const Config&) const = default;
};

}  // namespace parley::config
