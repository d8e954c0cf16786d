// Engine, brokers and controller: today there is one node, in memory.
#include <array>

#include "config/option_rows.h"

namespace parley::config {
namespace {

constexpr std::array kEngines = {Choice{"memory"}, Choice{"redis"}};
constexpr std::array kBrokers = {Choice{"memory"}, Choice{"redis"}, Choice{"nats"},
                                 Choice{"postgres"}, Choice{"redisnats"}};
constexpr std::array kPresences = {Choice{"memory"}, Choice{"redis"}};
constexpr std::array kMaps = {Choice{"memory"}, Choice{"redis"}, Choice{"postgres"}};

void add_redis_rows(std::vector<Option>& out, const std::string& section) {
  const std::string_view note = "only with Redis";
  Rows rows(out, section);
  rows.idle("", note,
            {{"prefix", Type::kString, "centrifugo"},
             {"address", Type::kStrings, "redis://127.0.0.1:6379"},
             {"connect_timeout", Type::kDuration, "1s"},
             {"io_timeout", Type::kDuration, "4s"},
             {"db", Type::kInt, "0"},
             {"user"},
             {"password"},
             {"client_name"},
             {"force_resp2", Type::kBool, "false"},
             {"cluster_address", Type::kStrings},
             {"tls.enabled", Type::kBool, "false"},
             {"sentinel_address", Type::kStrings},
             {"sentinel_user"},
             {"sentinel_password"},
             {"sentinel_master_name"},
             {"sentinel_client_name"},
             {"sentinel_tls.enabled", Type::kBool, "false"},
             {"replica_client.enabled", Type::kBool, "false"},
             {"history_use_lists", Type::kBool, "false"},
             {"presence_ttl", Type::kDuration, "60s"},
             {"presence_hash_field_ttl", Type::kBool, "false"},
             {"presence_user_mapping", Type::kBool, "false"}});
  add_tls_rows(out, section + ".tls", note);
  add_tls_rows(out, section + ".sentinel_tls", note);
}

void add_nats_rows(std::vector<Option>& out, const std::string& section) {
  Rows(out, section)
      .idle("", "only with NATS",
            {{"prefix", Type::kString, "centrifugo"},
             {"url", Type::kString, "nats://localhost:4222"},
             {"dial_timeout", Type::kDuration, "1s"},
             {"write_timeout", Type::kDuration, "1s"},
             {"tls.enabled", Type::kBool, "false"},
             {"allow_wildcards", Type::kBool, "false"},
             {"raw_mode.enabled", Type::kBool, "false"},
             {"raw_mode.channel_replacements", Type::kMap},
             {"raw_mode.prefix"}});
  add_tls_rows(out, section + ".tls", "only with NATS");
}

void add_postgres_rows(std::vector<Option>& out, const std::string& section) {
  const std::string_view note = "only with PostgreSQL";
  Rows(out, section)
      .idle("", note,
            {{"dsn"},
             {"tls.enabled", Type::kBool, "false"},
             {"pool_size", Type::kInt, "16"},
             {"num_shards", Type::kInt, "8"},
             {"cleanup_interval", Type::kDuration, "1m"},
             {"idempotent_result_ttl", Type::kDuration, "5m"},
             {"binary_data", Type::kBool, "false"},
             {"stream_retention", Type::kDuration, "24h"},
             {"use_notify", Type::kBool, "false"},
             {"notify_dsn"},
             {"table_prefix", Type::kString, "cf"},
             {"skip_schema_init", Type::kBool, "false"},
             {"outbox.poll_interval", Type::kDuration, "100ms"},
             {"outbox.batch_size", Type::kInt, "1000"},
             {"partition_lookahead_days", Type::kInt, "2"},
             {"partition_retention_days", Type::kInt, "7"}});
  add_tls_rows(out, section + ".tls", note);
}

void add_controller_rows(std::vector<Option>& out) {
  Rows rows(out, "controller");
  rows.refused("enabled", Type::kBool, "false", "nodes would not know of one another");
  rows.idle("", "only with controller.enabled", {{"type"}});
  rows.idle("postgres", "only with controller.enabled",
            {{"dsn"},
             {"pool_size", Type::kInt, "8"},
             {"num_shards", Type::kInt, "1"},
             {"table_prefix", Type::kString, "cf"},
             {"poll_interval", Type::kDuration, "50ms"},
             {"use_notify", Type::kBool, "false"},
             {"notify_dsn"},
             {"partition_retention_days", Type::kInt, "1"},
             {"partition_lookahead_days", Type::kInt, "2"},
             {"partition_cleanup_interval", Type::kDuration, "1m"},
             {"batch_size", Type::kInt, "1000"},
             {"skip_schema_init", Type::kBool, "false"}});
}

}  // namespace

void add_engine_rows(std::vector<Option>& out) {
  Rows(out, "engine")
      .refused("type", Type::kString, "memory",
               "messages would not reach other nodes, and history would be lost at a restart")
      .one_of(kEngines);
  add_redis_rows(out, "engine.redis");
  Rows broker(out, "broker");
  broker.refused("enabled", Type::kBool, "false", "messages would not reach other nodes");
  broker.idle("", "only with broker.enabled", {{"type", Type::kString, "memory"}});
  out.back().one_of(kBrokers);
  add_redis_rows(out, "broker.redis");
  add_nats_rows(out, "broker.nats");
  add_postgres_rows(out, "broker.postgres");
  add_redis_rows(out, "broker.redisnats.redis");
  add_nats_rows(out, "broker.redisnats.nats");
  Rows presence(out, "presence_manager");
  presence.refused("enabled", Type::kBool, "false", "presence would be that of this node only");
  presence.idle("", "only with presence_manager.enabled", {{"type", Type::kString, "memory"}});
  out.back().one_of(kPresences);
  add_redis_rows(out, "presence_manager.redis");
  Rows map(out, "map_broker");
  map.idle("", "only with subscription_type map", {{"type", Type::kString, "memory"}});
  out.back().one_of(kMaps);
  add_redis_rows(out, "map_broker.redis");
  map.idle("redis", "only with Redis",
           {{"cleanup_interval", Type::kDuration, "1s"},
            {"cleanup_batch_size", Type::kInt, "100"},
            {"idempotent_result_ttl", Type::kDuration, "5m"},
            {"skip_pub_sub", Type::kBool, "false"}});
  add_postgres_rows(out, "map_broker.postgres");
  map.idle("postgres", "only with PostgreSQL", {{"ttl_check_interval", Type::kDuration, "1s"}});
  add_controller_rows(out);
  Rows(out, "shared_poll")
      .idle("", "only with subscription_type shared_poll",
            {{"hmac_secret_key"},
             {"hmac_previous_secret_key"},
             {"hmac_previous_secret_key_valid_until", Type::kInt, "0"},
             {"concurrency_limit", Type::kInt, "0"}});
}

}  // namespace parley::config
