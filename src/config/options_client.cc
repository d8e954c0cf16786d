// client.
#include "config/option_rows.h"

namespace parley::config {
namespace {

constexpr auto kClient = &Config::client;

template <auto Which>
void add_token_rows(std::vector<Option>& out, const std::string& section) {
  Rows rows(out, section);
  rows.supported<kClient, Which, &Token::hmac_secret_key>(
      "hmac_secret_key", "", "The secret of HS256, HS384 and HS512 tokens; empty: none is valid.");
  rows.supported<kClient, Which, &Token::hmac_previous_secret_key>(
      "hmac_previous_secret_key", "", "A secret that is on its way out, and still valid.");
  rows.supported<kClient, Which, &Token::hmac_previous_secret_key_valid_until>(
      "hmac_previous_secret_key_valid_until", "0",
      "Until when hmac_previous_secret_key is valid, in seconds since 1970; 0: without end.");
  rows.supported<kClient, Which, &Token::rsa_public_key>(
      "rsa_public_key", "", "The key of RS256, RS384 and RS512 tokens, in PEM.");
  rows.supported<kClient, Which, &Token::ecdsa_public_key>(
      "ecdsa_public_key", "", "The key of ES256, ES384 and ES512 tokens, in PEM.");
  rows.supported<kClient, Which, &Token::jwk>("jwk", "",
                                              "Keys of tokens as a JWK or a JWK set, in JSON.")
      .of_parley();
  rows.supported<kClient, Which, &Token::audience>("audience", "",
                                                   "What `aud` of a token must be; empty: any.");
  rows.supported<kClient, Which, &Token::audience_regex>("audience_regex", "",
                                                         "The same as a regular expression.");
  rows.supported<kClient, Which, &Token::issuer>("issuer", "",
                                                 "What `iss` of a token must be; empty: any.");
  rows.supported<kClient, Which, &Token::issuer_regex>(
      "issuer_regex", "", "What `iss` of a token must be, as a regular expression.");
  rows.supported<kClient, Which, &Token::user_id_claim>(
      "user_id_claim", "", "The claim that names the user; empty: `sub`.");
  rows.supported<kClient, Which, &Token::jwks_public_endpoint>(
      "jwks_public_endpoint", "",
      "Where the keys of tokens are fetched (JWKS); replaces all other keys.");
  rows.supported<kClient, Which, &Token::insecure_skip_jwks_endpoint_safety_check>(
      "insecure_skip_jwks_endpoint_safety_check", "false",
      "Placeholders in jwks_public_endpoint may be filled with any text of a token.");
}

void add_access_rows(std::vector<Option>& out) {
  Rows rows(out, "client");
  rows.supported<kClient, &Client::allowed_origins>(
      "allowed_origins", "",
      "Pages that may connect, as patterns of origins such as https://*.example.com; `*`: all. "
      "Empty: pages of the server's own host only.");
  rows.supported<kClient, &Client::allow_anonymous_connect_without_token>(
      "allow_anonymous_connect_without_token", "false",
      "Who shows no token may connect, as the anonymous user.");
  rows.supported<kClient, &Client::disallow_anonymous_connection_tokens>(
      "disallow_anonymous_connection_tokens", "false",
      "A token for the anonymous user is refused.");
  rows.supported<kClient, &Client::insecure>(
      "insecure", "false",
      "For development: everybody may connect and do everything that the namespaces have.");
  rows.supported<kClient, &Client::insecure_skip_token_signature_verify>(
      "insecure_skip_token_signature_verify", "false",
      "For development: tokens are believed without a look at their signature.");
  rows.supported<kClient, &Client::user_id_http_header>(
      "user_id_http_header", "",
      "The HTTP header that names the user, set by a proxy in front; empty: none.");
  Rows personal(out, "client.subscribe_to_user_personal_channel");
  constexpr auto kPersonal = &Client::subscribe_to_user_personal_channel;
  personal.supported<kClient, kPersonal, &PersonalChannel::enabled>(
      "enabled", "false", "Each user is subscribed to a channel of its own on connect.");
  personal.supported<kClient, kPersonal, &PersonalChannel::personal_channel_namespace>(
      "personal_channel_namespace", "", "The namespace of these channels; empty: none.");
  personal.supported<kClient, kPersonal, &PersonalChannel::single_connection>(
      "single_connection", "false", "A new connection of a user ends the older one.");
}

void add_life_rows(std::vector<Option>& out) {
  Rows rows(out, "client");
  rows.supported<kClient, &Client::ping_interval>("ping_interval", "25s",
                                                  "Between two pings; 0: none.");
  rows.supported<kClient, &Client::pong_timeout>(
      "pong_timeout", "8s",
      "A client that answers no ping for so long is disconnected; less than ping_interval.");
  rows.supported<kClient, &Client::stale_close_delay>(
      "stale_close_delay", "10s", "A connection that does not identify itself by then is closed.");
  rows.supported<kClient, &Client::expired_close_delay>(
      "expired_close_delay", "25s", "How long a client may take to renew an expired connection.");
  rows.supported<kClient, &Client::expired_sub_close_delay>(
      "expired_sub_close_delay", "25s",
      "How long a client may take to renew an expired subscription.");
  rows.supported<kClient, &Client::channel_limit>("channel_limit", "128",
                                                  "Subscriptions of one connection.");
  rows.supported<kClient, &Client::connection_limit>(
      "connection_limit", "0",
      "Connections on this node; above it 503 with Retry-After. 0: any number.");
  rows.supported<kClient, &Client::user_connection_limit>(
      "user_connection_limit", "0",
      "Connections of one named user on this node; a further one is disconnected with 3504. 0: any "
      "number.");
  rows.supported<kClient, &Client::ticket_limit>(
          "ticket_limit", "10000",
          "One-time tickets that wait to be used on this node; above it create_ticket is answered "
          "with error 106. 0: there are none.")
      .of_parley();
  rows.supported<kClient, &Client::queue_max_size>(
      "queue_max_size", "1048576",
      "Bytes that may wait for a slow client; it is disconnected above.");
  rows.supported<kClient, &Client::message_size_limit_before_connect>(
          "message_size_limit_before_connect", "57344",
          "Bytes of a message of a client until its connect is answered, or of the request that "
          "opens a stream; with SDKs that is the connect and all first subscribes, with their "
          "tokens. The limit of messages holds as well.")
      .of_parley();
  rows.supported<kClient, &Client::connect_include_server_time>(
      "connect_include_server_time", "false", "The answer to connect has the server's time.");
  rows.supported<kClient, &Client::history_max_publication_limit>(
      "history_max_publication_limit", "300", "Publications in one answer to history.");
  rows.supported<kClient, &Client::recovery_max_publication_limit>(
      "recovery_max_publication_limit", "300",
      "Missed publications that a recovery gives; more: it fails.");
}

void add_rate_rows(std::vector<Option>& out) {
  Rows rows(out, "client");
  rows.supported<kClient, &Client::connection_rate_limit>(
      "connection_rate_limit", "0",
      "New connections a second on this node; above it 503 with Retry-After. 0: any number.");
  rows.supported<kClient, &Client::address_connection_rate_limit>(
          "address_connection_rate_limit", "0",
          "New connections a second of one address, or of one /64 of IPv6; above it 429 with "
          "Retry-After. 0: any number. Behind a proxy only with http_server.trusted_proxies.")
      .of_parley();
  rows.supported<kClient, &Client::address_connection_limit>(
          "address_connection_limit", "0",
          "Connections of one address, or of one /64 of IPv6, at a time; above it 429 with "
          "Retry-After. 0: any number. Behind a proxy only with http_server.trusted_proxies.")
      .of_parley();
  const auto add = [&rows]<auto Field>(std::string_view name, std::string_view note) {
    rows.supported<kClient, Field>(name, "0", note).of_parley();
  };
  add.operator()<&Client::command_rate_limit>(
      "command_rate_limit",
      "Commands of one connection a second; above it error 111. 0: any number.");
  add.operator()<&Client::publish_rate_limit>(
      "publish_rate_limit",
      "Publishes of one connection a second; above it error 111. 0: any number.");
  add.operator()<&Client::user_command_rate_limit>(
      "user_command_rate_limit",
      "Commands of one named user a second, over all its connections on this node. 0: any number.");
  add.operator()<&Client::user_publish_rate_limit>(
      "user_publish_rate_limit",
      "Publishes of one named user a second, over all its connections on this node and `/pub`, "
      "where it is 429. 0: any number.");
  add.operator()<&Client::address_command_rate_limit>(
      "address_command_rate_limit",
      "Commands a second of one address, or of one /64 of IPv6, over all its connections on this "
      "node. 0: any number. Behind a proxy only with http_server.trusted_proxies.");
  add.operator()<&Client::address_publish_rate_limit>(
      "address_publish_rate_limit",
      "Publishes a second of one address, or of one /64 of IPv6, as above, and over `/pub`. 0: any "
      "number.");
  rows.supported<kClient, &Client::publish_max_delay>(
          "publish_max_delay", "500ms",
          "A connection that sends faster than it is served for so long has its publishes answered "
          "with 111, until it was served for a fifth of this. Not who waits for answers and has at "
          "most 1,024 commands unanswered. 0: never; else 10ms to 1m.")
      .of_parley();
  rows.supported<kClient, &Client::refused_command_rate_limit>(
          "refused_command_rate_limit", "100",
          "Commands of one connection a second that may be refused for a rate; above it the "
          "connection ends with 3013. 0: any number.")
      .of_parley();
}

void add_missing_rows(std::vector<Option>& out) {
  Rows rows(out, "client");
  rows.warned("concurrency", Type::kInt, "0", "commands do not wait for one another");
  rows.warned("presence_update_interval", Type::kDuration, "27s",
              "presence needs no updates: it ends with the connection");
  rows.warned("channel_position_check_delay", Type::kDuration, "40s",
              "positions need no checks: holes are found as they appear");
  rows.warned("channel_position_max_time_lag", Type::kDuration, "0s",
              "a client that lags reads on from history, or skips as overflow says");
  const std::string_view batching = "what is ready goes out in one write, without delay";
  rows.warned("write_delay", Type::kDuration, "0s", batching).in_pro();
  rows.warned("max_messages_in_frame", Type::kInt, "0", batching).in_pro();
  rows.warned("reply_without_queue", Type::kBool, "false", batching).in_pro();
  rows.warned("write_with_timer", Type::kBool, "false", batching).in_pro();
  rows.warned("connect_code_to_unidirectional_disconnect.enabled", Type::kBool, "false",
              "a refused one-way connect is told by the protocol's own codes");
  rows.idle("connect_code_to_unidirectional_disconnect", "only with its enabled",
            {{"transforms", Type::kObjects}});
  for (const std::string event : {"connect", "refresh"}) {
    rows.refused("proxy." + event + ".enabled", Type::kBool, "false",
                 "the backend would not be asked who may connect");
    add_proxy_object_rows(out, "client.proxy." + event);
  }
}

}  // namespace

void add_client_rows(std::vector<Option>& out) {
  add_access_rows(out);
  add_life_rows(out);
  add_rate_rows(out);
  add_token_rows<&Client::token>(out, "client.token");
  Rows(out, "client.subscription_token")
      .supported<kClient, &Client::subscription_token, &SubscriptionToken::enabled>(
          "enabled", "false",
          "Subscription tokens have keys of their own, the options beside this one.");
  add_token_rows<&Client::subscription_token>(out, "client.subscription_token");
  add_missing_rows(out);
}

}  // namespace parley::config
