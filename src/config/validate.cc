#include "config/validate.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "config/settings.h"

namespace parley::config {
namespace {

constexpr uint32_t kMaxShards = 64;
constexpr uint32_t kMaxChannelLength = 255;
// What a shard keeps of a channel for its readers.
constexpr uint32_t kMaxOverflowBytes = 1 << 20;
constexpr uint32_t kMaxRate = 1'000'000;  // a second
constexpr Duration kMaxOverflowDelay = seconds(300);
constexpr Duration kMinOverflowWait = milliseconds(10);
constexpr Duration kMaxOverflowWait = seconds(5);

bool is_namespace_name(const std::string& name) {
  return name.size() >= 2 && std::ranges::all_of(name, [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool is_whole_seconds(Duration duration) { return duration % seconds(1) == Duration(0); }

class NamespaceCheck {
 public:
  NamespaceCheck(const Namespace& options, std::string path, std::vector<Finding>& findings)
      : options_(options), path_(std::move(path)), findings_(findings) {}

  void run() {
    check_history();
    check_recovery();
    check_overflow();
    check_rates();
    for (const std::string& type : options_.allowed_delta_types)
      if (type != "fossil")
        add("allowed_delta_types", fmt::format("\"{}\" is not known; write \"fossil\"", type));
    if (options_.delta_publish && options_.allowed_delta_types.empty())
      add("delta_publish", "needs allowed_delta_types: [\"fossil\"]");
  }

 private:
  void add(const std::string& option, std::string message, const std::string& or_option = {}) {
    findings_.push_back({path_ + "." + option, std::move(message),
                         or_option.empty() ? "" : path_ + "." + or_option});
  }

  void check_history() {
    const bool size = options_.history_size > 0;
    const bool ttl = options_.history_ttl.count() > 0;
    if (size && !ttl) add("history_size", "keeps nothing without history_ttl; set both or none");
    if (ttl && !size) add("history_ttl", "keeps nothing without history_size; set both or none");
    if (!is_whole_seconds(options_.history_ttl)) add("history_ttl", "must be whole seconds");
    if (!is_whole_seconds(options_.history_meta_ttl))
      add("history_meta_ttl", "must be whole seconds");
    if (options_.history_meta_ttl < options_.history_ttl)
      add("history_meta_ttl",
          "is less than history_ttl (its default is channel.history_meta_ttl): positions would "
          "be forgotten before their publications; make it at least as long",
          "history_ttl");
  }

  void check_recovery() {
    const bool history = options_.history_size > 0 && options_.history_ttl.count() > 0;
    const bool cache = options_.force_recovery_mode == RecoveryMode::kCache;
    if (options_.force_recovery && !history)
      add("force_recovery", "needs a history; set history_size and history_ttl");
    if (options_.allow_recovery && !history)
      add("allow_recovery", "needs a history; set history_size and history_ttl");
    if (cache && !options_.force_recovery)
      add("force_recovery_mode", "\"cache\" needs force_recovery: true");
    if (options_.auto_cache_recover && !(cache && options_.force_recovery))
      add("auto_cache_recover", "needs force_recovery: true and force_recovery_mode: cache");
  }

  void check_overflow() {
    const bool history = options_.history_size > 0 && options_.history_ttl.count() > 0;
    if (options_.overflow == Overflow::kResume && !history)
      add("overflow", "\"resume\" needs a history; set history_size and history_ttl");
    if (options_.overflow_max_bytes == 0 || options_.overflow_max_bytes > kMaxOverflowBytes)
      add("overflow_max_bytes", fmt::format("must be 1 to {}", kMaxOverflowBytes));
    if (options_.overflow_max_delay > kMaxOverflowDelay)
      add("overflow_max_delay", "must be at most 5m");
    if (!options_.overflow_key.empty() && options_.overflow != Overflow::kLatest)
      add("overflow_key", "is for overflow: latest only");
    if (options_.overflow_max_wait < kMinOverflowWait ||
        options_.overflow_max_wait > kMaxOverflowWait)
      add("overflow_max_wait", "must be 10ms to 5s");
  }

  void check_rates() {
    if (options_.publish_rate_limit > kMaxRate)
      add("publish_rate_limit", fmt::format("must be at most {}; 0 is any number", kMaxRate));
  }

  const Namespace& options_;
  std::string path_;
  std::vector<Finding>& findings_;
};

void check_channel(const Channel& channel, std::vector<Finding>& findings) {
  if (channel.max_length == 0 || channel.max_length > kMaxChannelLength)
    findings.push_back({"channel.max_length", fmt::format("must be 1 to {}", kMaxChannelLength)});
  NamespaceCheck(channel.without_namespace, "channel.without_namespace", findings).run();
  std::map<std::string, size_t> seen;
  for (size_t n = 0; n < channel.namespaces.size(); ++n) {
    const Namespace& options = channel.namespaces[n];
    const std::string path = element_path("channel.namespaces", n);
    if (options.name.empty()) {
      findings.push_back({path, "has no name"});
    } else if (!is_namespace_name(options.name)) {
      findings.push_back(
          {path + ".name",
           fmt::format("\"{}\" must be two or more of letters, digits, \"-\", \"_\" and \".\"",
                       options.name)});
    } else if (const auto [at, added] = seen.try_emplace(options.name, n); !added) {
      findings.push_back(
          {path + ".name", fmt::format("\"{}\" is also the name of {}", options.name,
                                       element_path("channel.namespaces", at->second))});
    }
    NamespaceCheck(options, path, findings).run();
  }
}

void check_client(const Config& config, std::vector<Finding>& findings) {
  const Client& client = config.client;
  if (!is_whole_seconds(client.ping_interval))
    findings.push_back(
        {"client.ping_interval", "must be whole seconds: clients are told it so", {}});
  if (client.ping_interval.count() > 0 && client.pong_timeout >= client.ping_interval)
    findings.push_back({"client.pong_timeout",
                        fmt::format("must be less than client.ping_interval ({})",
                                    duration_text(client.ping_interval)),
                        "client.ping_interval"});
  const PersonalChannel& personal = client.subscribe_to_user_personal_channel;
  const std::string& name = personal.personal_channel_namespace;
  if (!name.empty() && std::ranges::find(config.channel.namespaces, name, &Namespace::name) ==
                           config.channel.namespaces.end())
    findings.push_back(
        {"client.subscribe_to_user_personal_channel.personal_channel_namespace",
         fmt::format("there is no namespace \"{}\"; add it to channel.namespaces", name)});
  const auto token = [&](const Token& keys, const std::string& path) {
    if (!keys.audience.empty() && !keys.audience_regex.empty())
      findings.push_back({path + ".audience_regex", "excludes audience; keep one of the two"});
    if (!keys.issuer.empty() && !keys.issuer_regex.empty())
      findings.push_back({path + ".issuer_regex", "excludes issuer; keep one of the two"});
  };
  token(client.token, "client.token");
  token(client.subscription_token, "client.subscription_token");
  const std::string& claim = client.token.user_id_claim;
  const auto is_claim_letter = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (!std::ranges::all_of(claim, is_claim_letter))
    findings.push_back({"client.token.user_id_claim", "may have letters and \"_\" only"});
  if (!std::ranges::all_of(client.subscription_token.user_id_claim, is_claim_letter))
    findings.push_back(
        {"client.subscription_token.user_id_claim", "may have letters and \"_\" only"});
}

void check_doors(const Config& config, std::vector<Finding>& findings) {
  struct Door {
    std::string section;
    bool open;
    const std::string& prefix;
  };
  const Door doors[] = {
      {"websocket", !config.websocket.disabled, config.websocket.handler_prefix},
      {"http_api", !config.http_api.disabled, config.http_api.handler_prefix},
      {"http_stream", config.http_stream.enabled, config.http_stream.handler_prefix},
      {"sse", config.sse.enabled, config.sse.handler_prefix},
      {"emulation", config.http_stream.enabled || config.sse.enabled,
       config.emulation.handler_prefix},
      {"uni_websocket", config.uni_websocket.enabled, config.uni_websocket.handler_prefix},
      {"uni_http_stream", config.uni_http_stream.enabled, config.uni_http_stream.handler_prefix},
      {"uni_sse", config.uni_sse.enabled, config.uni_sse.handler_prefix},
      {"event_stream", config.event_stream.enabled, config.event_stream.handler_prefix},
      {"pub", config.pub.enabled, config.pub.handler_prefix},
      {"prometheus", config.prometheus.enabled, config.prometheus.handler_prefix},
      {"health", config.health.enabled, config.health.handler_prefix},
  };
  std::map<std::string, std::string> seen;
  for (const Door& door : doors) {
    const std::string path = door.section + ".handler_prefix";
    if (door.prefix.size() < 2 || !door.prefix.starts_with('/'))
      findings.push_back({path, "must begin with \"/\" and name a path"});
    if (!door.open) continue;
    const auto [at, added] = seen.try_emplace(door.prefix, path);
    if (!added)
      findings.push_back(
          {path, fmt::format("\"{}\" is also {}; choose another", door.prefix, at->second)});
  }
  if (const int32_t level = config.websocket.compression_level; level < 1 || level > 9)
    findings.push_back({"websocket.compression_level", "must be 1 (fast) to 9 (small)"});
  const HttpServer& server = config.http_server;
  if (server.internal_port != 0 && server.internal_port == server.port &&
      (server.internal_address.empty() || server.internal_address == server.address))
    findings.push_back(
        {"http_server.internal_port", "is the public port too; choose another port"});
  if (server.internal_port == 0 && !server.internal_address.empty())
    findings.push_back({"http_server.internal_address", "needs http_server.internal_port"});
  if (config.shards > kMaxShards)
    findings.push_back({"shards", fmt::format("must be at most {}", kMaxShards)});
}

// What means "without limit" elsewhere.
void check_limits(const Config& config, std::vector<Finding>& findings) {
  const std::pair<const char*, uint32_t> limits[] = {
      {"client.channel_limit", config.client.channel_limit},
      {"client.queue_max_size", config.client.queue_max_size},
      {"client.history_max_publication_limit", config.client.history_max_publication_limit},
      {"client.recovery_max_publication_limit", config.client.recovery_max_publication_limit},
      {"client.message_size_limit_before_connect", config.client.message_size_limit_before_connect},
      {"websocket.message_size_limit", config.websocket.message_size_limit},
      {"pub.max_request_body_size", config.pub.max_request_body_size},
  };
  for (const auto& [path, limit] : limits)
    if (limit == 0)
      findings.push_back({path, "must be at least 1: nothing here is without a limit", {}});
  const Client& client = config.client;
  const std::pair<const char*, uint32_t> rates[] = {
      {"client.connection_rate_limit", client.connection_rate_limit},
      {"client.address_connection_rate_limit", client.address_connection_rate_limit},
      {"client.command_rate_limit", client.command_rate_limit},
      {"client.publish_rate_limit", client.publish_rate_limit},
      {"client.user_command_rate_limit", client.user_command_rate_limit},
      {"client.user_publish_rate_limit", client.user_publish_rate_limit},
      {"client.address_command_rate_limit", client.address_command_rate_limit},
      {"client.address_publish_rate_limit", client.address_publish_rate_limit},
      {"client.refused_command_rate_limit", client.refused_command_rate_limit},
  };
  for (const auto& [path, rate] : rates)
    if (rate > kMaxRate)
      findings.push_back({path, fmt::format("must be at most {}; 0 is any number", kMaxRate), {}});
  const Duration delay = config.client.publish_max_delay;
  if (delay.count() != 0 && (delay < milliseconds(10) || delay > seconds(60)))
    findings.push_back({"client.publish_max_delay", "must be 10ms to 1m; 0 is never", {}});
  if (config.client.stale_close_delay.count() == 0)
    findings.push_back({"client.stale_close_delay", "must be above 0", {}});
}

}  // namespace

std::vector<Finding> validate(const Config& config) {
  std::vector<Finding> findings;
  check_client(config, findings);
  check_channel(config.channel, findings);
  check_doors(config, findings);
  check_limits(config, findings);
  return findings;
}

std::vector<std::string> insecure_modes(const Config& config) {
  std::vector<std::string> out;
  const auto tell = [&](bool on, const char* sentence) {
    if (on) out.emplace_back(sentence);
  };
  tell(config.client.insecure,
       "client.insecure is on: everybody may connect, subscribe and publish; never in production");
  tell(config.client.insecure_skip_token_signature_verify,
       "client.insecure_skip_token_signature_verify is on: anybody can make a token for any user; "
       "never in production");
  tell(config.client.token.insecure_skip_jwks_endpoint_safety_check ||
           config.client.subscription_token.insecure_skip_jwks_endpoint_safety_check,
       "insecure_skip_jwks_endpoint_safety_check is on: a token may choose where its key comes "
       "from; never in production");
  tell(config.http_api.insecure,
       "http_api.insecure is on: everybody may call the server API; never in production");
  tell(!config.client.user_id_http_header.empty(),
       "client.user_id_http_header is set: clients that reach this port past the proxy may name "
       "any user");
  return out;
}

}  // namespace parley::config
