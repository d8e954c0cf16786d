// Calls to the application's backend, and what is taken from it: proxies, rpc, consumers.
#include <array>

#include "config/option_rows.h"

namespace parley::config {
namespace {

constexpr std::array kConsumerTypes = {
    Choice{"postgresql"},     Choice{"kafka"},   Choice{"nats_jetstream"},   Choice{"redis_stream"},
    Choice{"google_pub_sub"}, Choice{"aws_sqs"}, Choice{"azure_service_bus"}};
constexpr std::string_view kNotConsumed = "messages would not be consumed";
constexpr std::string_view kIdleConsumer = "only with an enabled consumer";

void add_rpc_namespace_rows(Rows& rows) {
  rows.refused("proxy_enabled", Type::kBool, "false", "clients' RPC calls would fail");
  rows.idle("", "only with proxy_enabled", {{"proxy_name", Type::kString, "default"}});
}

const Table& rpc_namespace_options() {
  static const Table table([] {
    std::vector<Option> options;
    Rows rows(options, "");
    rows.idle("", "the namespace's name", {{"name"}});
    add_rpc_namespace_rows(rows);
    return options;
  }());
  return table;
}

const Table& named_proxy_options() {
  static const Table table([] {
    std::vector<Option> options;
    Rows(options, "").idle("", "the proxy's name", {{"name"}});
    add_proxy_object_rows(options, "");
    return options;
  }());
  return table;
}

void add_stream_consumer_rows(std::vector<Option>& out) {
  Rows rows(out, "");
  rows.idle("postgresql", kIdleConsumer,
            {{"dsn"},
             {"outbox_table_name"},
             {"num_partitions", Type::kInt, "1"},
             {"partition_select_limit", Type::kInt, "100"},
             {"partition_poll_interval", Type::kDuration, "300ms"},
             {"partition_notification_channel"},
             {"partition_notification_dsn"},
             {"tls.enabled", Type::kBool, "false"},
             {"use_try_lock", Type::kBool, "false"}});
  add_tls_rows(out, "postgresql.tls", kIdleConsumer);
  rows.idle("kafka", kIdleConsumer,
            {{"brokers", Type::kStrings},
             {"topics", Type::kStrings},
             {"consumer_group"},
             {"max_poll_records", Type::kInt, "100"},
             {"fetch_max_bytes", Type::kInt, "0"},
             {"fetch_max_wait", Type::kDuration, "500ms"},
             {"fetch_read_uncommitted", Type::kBool, "false"},
             {"partition_queue_max_size", Type::kInt, "1000"},
             {"dial_timeout", Type::kDuration, "3s"},
             {"tls.enabled", Type::kBool, "false"},
             {"sasl_mechanism"},
             {"sasl_user"},
             {"sasl_password"},
             {"assume_role_arn"},
             {"instance_id"},
             {"method_header"}});
  add_tls_rows(out, "kafka.tls", kIdleConsumer);
  rows.idle("nats_jetstream", kIdleConsumer,
            {{"url"},
             {"credentials_file"},
             {"username"},
             {"password"},
             {"token"},
             {"stream_name"},
             {"subjects", Type::kStrings},
             {"durable_consumer_name"},
             {"use_existing_consumer", Type::kBool, "false"},
             {"deliver_policy", Type::kString, "new"},
             {"max_ack_pending", Type::kInt, "100"}});
  rows.idle("redis_stream", kIdleConsumer,
            {{"streams", Type::kStrings},
             {"consumer_group"},
             {"visibility_timeout", Type::kDuration, "30s"},
             {"num_workers", Type::kInt, "1"},
             {"payload_value"},
             {"method_value"}});
}

void add_cloud_consumer_rows(Rows& rows) {
  rows.idle("google_pub_sub", kIdleConsumer,
            {{"project_id"},
             {"subscriptions", Type::kStrings},
             {"max_outstanding_messages", Type::kInt, "100"},
             {"max_outstanding_bytes", Type::kInt, "1000000"},
             {"auth_mechanism"},
             {"credentials_file"},
             {"method_attribute"}});
  rows.idle("aws_sqs", kIdleConsumer,
            {{"queues", Type::kStrings},
             {"sns_envelope", Type::kBool, "false"},
             {"region"},
             {"max_number_of_messages", Type::kInt, "10"},
             {"wait_time_time", Type::kDuration, "20s"},
             {"visibility_timeout", Type::kDuration, "30s"},
             {"max_concurrency", Type::kInt, "1"},
             {"credentials_profile"},
             {"assume_role_arn"},
             {"localstack_endpoint"}});
  rows.idle("azure_service_bus", kIdleConsumer,
            {{"connection_string"},
             {"use_azure_identity", Type::kBool, "false"},
             {"fully_qualified_namespace"},
             {"tenant_id"},
             {"client_id"},
             {"client_secret"},
             {"queues", Type::kStrings},
             {"use_sessions", Type::kBool, "false"},
             {"max_concurrent_calls", Type::kInt, "1"},
             {"max_receive_messages", Type::kInt, "1"},
             {"method_property"}});
}

const Table& consumer_options() {
  static const Table table([] {
    std::vector<Option> options;
    Rows rows(options, "");
    rows.refused("enabled", Type::kBool, "false", kNotConsumed);
    rows.idle("", kIdleConsumer, {{"name"}, {"type"}});
    options.back().one_of(kConsumerTypes);
    add_stream_consumer_rows(options);
    add_cloud_consumer_rows(rows);
    for (const char* type : {"postgresql", "kafka", "nats_jetstream", "redis_stream",
                             "google_pub_sub", "aws_sqs", "azure_service_bus"})
      Rows(options, type)
          .idle("publication_data_mode", kIdleConsumer,
                {{"enabled", Type::kBool, "false"},
                 {"channels_header"},
                 {"idempotency_key_header"},
                 {"delta_header"},
                 {"version_header"},
                 {"version_epoch_header"},
                 {"tags_header_prefix"}});
    return options;
  }());
  return table;
}

Option list_of(std::string_view path, const Table& elements, std::string_view note) {
  Option list;
  list.path = path;
  list.type = Type::kObjects;
  list.status = Status::kIdle;
  list.note = note;
  list.elements = &elements;
  return list;
}

}  // namespace

void add_proxy_object_rows(std::vector<Option>& out, const std::string& section) {
  const std::string_view note = "only with a proxy";
  Rows rows(out, section);
  rows.idle("", note,
            {{"endpoint"},
             {"timeout", Type::kDuration, "1s"},
             {"http_headers", Type::kStrings},
             {"grpc_metadata", Type::kStrings},
             {"emulated_headers", Type::kStrings},
             {"binary_encoding", Type::kBool, "false"},
             {"include_connection_meta", Type::kBool, "false"},
             {"http.tls.enabled", Type::kBool, "false"},
             {"http.static_headers", Type::kMap},
             {"http.status_to_code_transforms", Type::kObjects},
             {"grpc.tls.enabled", Type::kBool, "false"},
             {"grpc.credentials_key"},
             {"grpc.credentials_value"},
             {"grpc.compression", Type::kBool, "false"},
             {"grpc.static_metadata", Type::kMap}});
  add_tls_rows(out, Rows::join(section, "http.tls"), note);
  add_tls_rows(out, Rows::join(section, "grpc.tls"), note);
}

void add_proxy_rows(std::vector<Option>& out) {
  out.push_back(list_of("proxies", named_proxy_options(), "only with an option that names one"));
  Rows rpc(out, "rpc");
  rpc.warned("ping.enabled", Type::kBool, "false", "the method is answered as not found");
  rpc.idle("", "only with rpc.ping.enabled", {{"ping.method", Type::kString, "ping"}});
  rpc.idle("", "only with RPC proxies", {{"namespace_boundary", Type::kString, ":"}});
  add_proxy_object_rows(out, "rpc.proxy");
  Rows without(out, "rpc.without_namespace");
  add_rpc_namespace_rows(without);
  out.push_back(
      list_of("rpc.namespaces", rpc_namespace_options(), "only with proxy_enabled of one of them"));
  out.push_back(list_of("consumers", consumer_options(), "only those that are enabled matter"));
}

}  // namespace parley::config
