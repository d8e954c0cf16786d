// http_server, log, node, shutdown and what watches the process.
#include <array>

#include "config/option_rows.h"

namespace parley::config {
namespace {

constexpr std::array kLevels = {
    Choice{"debug", static_cast<int>(log::Level::kDebug)},
    Choice{"trace", static_cast<int>(log::Level::kDebug)},
    Choice{"info", static_cast<int>(log::Level::kInfo)},
    Choice{"warn", static_cast<int>(log::Level::kWarn)},
    Choice{"error", static_cast<int>(log::Level::kError)},
    Choice{"none", static_cast<int>(log::Level::kOff)},
};
constexpr std::array kFormats = {
    Choice{"console", static_cast<int>(log::Format::kConsole)},
    Choice{"json", static_cast<int>(log::Format::kJson)},
};

void add_http_server_rows(std::vector<Option>& out) {
  Rows rows(out, "http_server");
  constexpr auto kServer = &Config::http_server;
  rows.supported<kServer, &HttpServer::address>("address", "",
                                                "The address to listen on; empty: all interfaces.");
  rows.supported<kServer, &HttpServer::port>("port", "8000", "The port to listen on.");
  rows.supported<kServer, &HttpServer::internal_port>(
      "internal_port", "0",
      "A port of its own for the server API, metrics and health, which are then not served on the "
      "public one; 0: none.");
  rows.supported<kServer, &HttpServer::internal_address>(
      "internal_address", "", "The address of the internal port; empty: as `address`.");
  rows.supported<kServer, &HttpServer::trusted_proxies>(
          "trusted_proxies", "",
          "Addresses and networks (`10.0.0.0/8`) of the proxies in front, whose X-Forwarded-For is "
          "believed: the right-most address that is none of theirs is the client's, for limits. "
          "Empty: nobody's. See the guide `guides/proxies.md`.")
      .of_parley();
  rows.refused("tls.enabled", Type::kBool, "false", "clients would be served without encryption");
  rows.refused("tls_autocert.enabled", Type::kBool, "false",
               "clients would be served without encryption");
  rows.refused("internal_tls.enabled", Type::kBool, "false",
               "the server API would be served without encryption");
  rows.idle("", "only with TLS", {{"tls_external", Type::kBool, "false"}});
  add_tls_rows(out, "http_server.tls", "only with tls.enabled");
  add_tls_rows(out, "http_server.internal_tls", "only with internal_tls.enabled");
  rows.idle("tls_autocert", "only with tls_autocert.enabled",
            {{"host_whitelist", Type::kStrings},
             {"cache_dir"},
             {"email"},
             {"server_name"},
             {"http", Type::kBool, "false"},
             {"http_addr", Type::kString, ":80"}});
  rows.warned("http3.enabled", Type::kBool, "false", "HTTP/3 is not served");
  rows.warned("h2c_external", Type::kBool, "false", "HTTP/2 is not served");
}

void add_watch_rows(std::vector<Option>& out) {
  Rows telemetry(out, "opentelemetry");
  telemetry.warned("enabled", Type::kBool, "false", "no traces are sent");
  telemetry.idle("", "only with opentelemetry.enabled",
                 {{"api", Type::kBool, "false"},
                  {"consuming", Type::kBool, "false"},
                  {"google_cloud_adc_auth", Type::kBool, "false"}});
  Rows graphite(out, "graphite");
  graphite.warned("enabled", Type::kBool, "false", "no metrics are sent to Graphite");
  graphite.idle("", "only with graphite.enabled",
                {{"host", Type::kString, "localhost"},
                 {"port", Type::kInt, "2003"},
                 {"prefix", Type::kString, "centrifugo"},
                 {"interval", Type::kDuration, "10s"},
                 {"tags", Type::kBool, "false"}});
  Rows(out, "usage_stats")
      .idle("", "Parley never reports anything to anyone", {{"disabled", Type::kBool, "false"}});
}

}  // namespace

void add_tls_rows(std::vector<Option>& out, const std::string& section, std::string_view note) {
  Rows(out, section)
      .idle("", note,
            {{"cert_pem"},
             {"key_pem"},
             {"server_ca_pem"},
             {"client_ca_pem"},
             {"insecure_skip_verify", Type::kBool, "false"},
             {"server_name"}});
}

void add_server_rows(std::vector<Option>& out) {
  add_http_server_rows(out);
  Rows log(out, "log");
  log.supported<&Config::log, &Log::level>("level", "info", "The least severe messages to write.")
      .one_of(kLevels);
  log.supported<&Config::log, &Log::format>("format", "console",
                                            "For people, or one JSON object a line.")
      .one_of(kFormats)
      .of_parley();
  log.warned("file", Type::kString, "", "the log goes to stderr");
  Rows node(out, "node");
  node.supported<&Config::node, &Node::name>("name", "",
                                             "The name of this node; empty: host name and port.");
  node.warned("info_metrics_aggregate_interval", Type::kDuration, "60s",
              "metrics are not aggregated");
  Rows shutdown(out, "shutdown");
  shutdown.supported<&Config::shutdown, &Shutdown::timeout>(
      "timeout", "30s", "How long clients may take to leave when the server stops.");
  shutdown
      .supported<&Config::shutdown, &Shutdown::spread>(
          "spread", "10s",
          "Over how long they are told to, evenly, so that they do not all come back at once; at "
          "most half of timeout, and less where there are few.")
      .of_parley();
  Rows(out, "memory")
      .supported<&Config::memory, &Memory::limit>(
          "limit", "0",
          "Bytes that the process is to stay below. At 80 % publishers are slowed, idle "
          "connections close sooner and nothing is compressed, at 90 % publishes and new "
          "connections are refused, at 95 % clients that do not read are disconnected; history has "
          "a quarter. 0: no limit, and 256 MiB of history for each shard.")
      .of_parley();
  Rows(out, "revocations")
      .supported<&Config::revocations, &Revocations::max_entries>(
          "max_entries", "100000",
          "Blocked users, revoked tokens and users whose tokens were invalidated, all together, "
          "that are remembered; above it error 111. Each shard remembers all of them.")
      .of_parley();
  Rows status(out, "user_status");
  constexpr auto kStatus = &Config::user_status;
  status
      .supported<kStatus, &UserStatus::enabled>(
          "enabled", "false", "When users were last connected and active can be asked for.")
      .in_pro();
  status
      .supported<kStatus, &UserStatus::expire_interval>(
          "expire_interval", "744h", "How long that is remembered behind the last sign of life.")
      .in_pro();
  status
      .supported<kStatus, &UserStatus::max_users>(
          "max_users", "100000",
          "Users of whom it is remembered; above it the one silent for longest is forgotten.")
      .of_parley();
  Rows top(out, "");
  top.supported<&Config::shards>("shards", "0",
                                 "Threads that serve clients, at most 64; 0: one per core.")
      .of_parley();
  top.warned("pid_file", Type::kString, "", "no such file is written");
  top.warned("enable_unreleased_features", Type::kBool, "false", "there are none");
  add_watch_rows(out);
}

}  // namespace parley::config
