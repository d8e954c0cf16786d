// Files that must be refused: what is said, and where.
#include <gtest/gtest.h>

#include "config/load.h"

namespace parley::config {
namespace {

struct BadFile {
  const char* text;   // JSON where it begins with a brace
  const char* begin;  // of the first problem, behind the file's name
  const char* words;  // that it has
};

const BadFile kBadFiles[] = {
    // Unknown options.
    {"clint: {}", ":1:1: clint: there is no such option", "did you mean client?"},
    {"client:\n  insecur: true",
     ":2:3: client.insecur:", "did you mean insecure or insecure_skip_token"},
    {"client:\n  token:\n    hmac_secret: x", ":3:5: client.token.hmac_secret:", "hmac_secret_key"},
    {"{\"client\":\n {\"alowed_origins\": []}}", ":2:3: client.alowed_origins:", "allowed_origins"},
    {"token_hmac_secret_key: x",
     ":1:1: token_hmac_secret_key:", "did you mean client.token.hmac_secret_key"},
    {"api_key: x", ":1:1: api_key:", "http_api.key"},
    {"allowed_origins: []", ":1:1: allowed_origins:", "client.allowed_origins"},
    {"namespaces: []", ":1:1: namespaces:", "channel.namespaces"},
    {"client.insecure: true", ":1:1: client.insecure: has dots", "one inside the other"},
    {"health: {path: /x}", ":1:10: health.path:", "Allowed in health: enabled, handler_prefix"},
    {"xyzzyx: 1", ":1:1: xyzzyx:", "docs/configuration.md lists what is allowed here"},
    {"channel:\n  namespaces:\n    - name: ab\n      presense: true",
     ":4:7: channel.namespaces[0].presense:", "did you mean presence?"},
    {"channel: {without_namespace: {name: x}}",
     ":1:31: channel.without_namespace.name:", "no such option"},
    {"Client: {}", ":1:1: Client:", "did you mean client?"},
    {"proxies: [{name: x, endpont: y}]", ":1:21: proxies[0].endpont:", "endpoint"},
    {"consumers: [{name: x, kafka: {broker: y}}]", ":1:31: consumers[0].kafka.broker:", "brokers"},
    // Types.
    {"client: {ping_interval: 25}", ":1:25: client.ping_interval: 25 has no unit", "25s"},
    {"{\"client\": {\"ping_interval\": 2.5}}", ":1:30: client.ping_interval: 2.5 has no unit", "s"},
    {"client: {ping_interval: 25 sec}", ":1:25: client.ping_interval:", "\"25s\", \"1m30s\""},
    {"client: {ping_interval: -25s}", ":1:25: client.ping_interval:", "is not a duration"},
    {"client: {ping_interval: true}", ":1:25: client.ping_interval:", "must be a duration"},
    {"client: {insecure: yes}", ":1:20: client.insecure: must be true or false", "not a string"},
    {"client: {insecure: \"true\"}", ":1:20: client.insecure:", "without quotes"},
    {"client: {insecure: 1}", ":1:20: client.insecure: must be true or false", "not a number"},
    {"client: {insecure: }", ":1:20: client.insecure: has no value", "remove it"},
    {"{\"client\": {\"insecure\": null}}", ":1:25: client.insecure: has no value", "remove it"},
    {"http_server: {port: \"8000\"}", ":1:21: http_server.port: must be a whole number", "quotes"},
    {"http_server: {port: 80.5}", ":1:21: http_server.port:", "a number with a fraction"},
    {"http_server: {port: 65536}", ":1:21: http_server.port: 65536 is too large", "at most 65535"},
    {"http_server: {port: -1}", ":1:21: http_server.port: -1 is below 0", ""},
    {"http_server: {port: 0x1f}", ":1:21: http_server.port:", "not a whole decimal number"},
    {"http_server: {port: 010}", ":1:21: http_server.port:", "begins with a zero; write 10"},
    {"client: {channel_limit: 99999999999999999999}", ":1:25: client.channel_limit:", "too large"},
    {"client: {token: {audience: 12}}", ":1:28: client.token.audience:", "in quotes"},
    {"client: {token: {audience: [a]}}", ":1:28: client.token.audience:", "must be a string"},
    {"client: {allowed_origins: \"*\"}", ":1:27: client.allowed_origins:", "write [\"*\"]"},
    {"client:\n  allowed_origins:\n    - a\n    - 1", ":3:5: client.allowed_origins:", "in line 4"},
    {"client: {allowed_origins: {a: b}}", ":1:27: client.allowed_origins:", "a list of strings"},
    {"client: true", ":1:9: client: is a section", "must be a map"},
    {"client: {token: secret}", ":1:17: client.token: is a section", "string"},
    {"channel: {namespaces: {}}", ":1:23: channel.namespaces: must be a list of maps", "a map"},
    {"channel: {namespaces: [chat]}", ":1:24: channel.namespaces[0]: must be a map",
     "not a string"},
    {"log: {level: verbose}", ":1:14: log.level: \"verbose\" is not one of", "debug"},
    {"channel: {publication_data_format: xml}", ":1:36: channel.publication_data_format:", "json"},
    {"engine: {type: kafka}", ":1:16: engine.type: \"kafka\" is not one of memory, redis", ""},
    {"client: {proxy: {connect: {http: {static_headers: {a: 1}}}}}", ":1:51: client.proxy.connect",
     "put the value of a in quotes"},
    {"client: {proxy: {connect: {http: {static_headers: {a: \"${CENTRIFUGO_VAR_X}\"}}}}}",
     ":1:51: client.proxy.connect.http.static_headers:", "uses CENTRIFUGO_VAR_X"},
    {"- a", ":1:1: a configuration is a map of sections, not a list", ""},
    {"just text", ":1:1: a configuration is a map of sections", "not a string"},
    {"{\"a\":", ":1:6: the file ends where a value is expected", ""},
    {" \n", ":1:1: the file is empty", "defaults"},
    // Not there yet.
    {"engine: {type: redis}", ":1:16: engine.type: redis is not supported yet", "other nodes"},
    {"http_server: {tls: {enabled: true}}", ":1:30: http_server.tls.enabled:", "encryption"},
    {"http_server: {internal_port: \"9000\"}", ":1:30: http_server.internal_port:", "number"},
    {"http_server: {port: 9000, internal_port: 9000}",
     ":1:42: http_server.internal_port:", "another port"},
    {"http_server: {internal_address: 10.0.0.1}",
     ":1:33: http_server.internal_address:", "internal_port"},
    {"client: {user_publish_rate_limit: 1000001}",
     ":1:35: client.user_publish_rate_limit: must be at most 1000000", "any number"},
    {"channel: {without_namespace: {publish_rate_limit: 1000001}}",
     ":1:51: channel.without_namespace.publish_rate_limit:", "at most 1000000"},
    {"client: {proxy: {connect: {enabled: true}}}",
     ":1:37: client.proxy.connect.enabled:", "backend"},
    {"channel: {without_namespace: {subscribe_proxy_enabled: true}}",
     ":1:56: channel.without_namespace.subscribe_proxy_enabled:", "backend"},
    {"channel: {namespaces: [{name: ab, subscribe_cel: \"1\"}]}",
     ":1:50: channel.namespaces[0].subscribe_cel:", "rule"},
    {"broker: {enabled: true, type: nats}", ":1:19: broker.enabled:", "other nodes"},
    {"consumers: [{name: k, type: kafka, enabled: true}]",
     ":1:45: consumers[0].enabled:", "consumed"},
    {"rpc: {namespaces: [{name: r, proxy_enabled: true}]}", ":1:45: rpc.namespaces[0]", "fail"},
    {"http_api: {error_mode: http}", ":1:24: http_api.error_mode:", "transport"},
    // Rules between options.
    {"channel: {without_namespace: {history_size: 10}}",
     ":1:45: channel.without_namespace.history_size:", "set both or none"},
    {"channel: {without_namespace: {history_ttl: 10s}}",
     ":1:44: channel.without_namespace.history_ttl:", "set both or none"},
    {"channel: {without_namespace: {history_size: 1, history_ttl: 1500ms}}",
     ":1:61: channel.without_namespace.history_ttl: must be whole seconds", ""},
    {"channel: {namespaces: [{name: ab, force_recovery: true}]}",
     ":1:51: channel.namespaces[0].force_recovery: needs a history", "history_ttl"},
    {"channel: {namespaces: [{name: ab, allow_recovery: true}]}",
     ":1:51: channel.namespaces[0].allow_recovery: needs a history", ""},
    {"channel: {namespaces: [{name: ab, force_recovery_mode: cache}]}",
     ":1:56: channel.namespaces[0].force_recovery_mode:", "needs force_recovery"},
    {"channel: {namespaces: [{name: ab, auto_cache_recover: true}]}",
     ":1:55: channel.namespaces[0].auto_cache_recover:", "force_recovery_mode: cache"},
    {"channel: {namespaces: [{name: ab, allowed_delta_types: [xdelta]}]}",
     ":1:56: channel.namespaces[0].allowed_delta_types:", "\"xdelta\" is not known"},
    {"channel: {namespaces: [{name: ab, overflow: resume}]}",
     ":1:45: channel.namespaces[0].overflow: \"resume\" needs a history", "history_ttl"},
    {"channel: {namespaces: [{name: ab, overflow: brake}]}",
     ":1:45: channel.namespaces[0].overflow:", "latest"},
    {"channel: {namespaces: [{name: ab, overflow: block, overflow_max_wait: 6s}]}",
     ":1:71: channel.namespaces[0].overflow_max_wait: must be 10ms to 5s", ""},
    {"channel: {namespaces: [{name: ab, overflow: drop_oldest, overflow_key: symbol}]}",
     ":1:72: channel.namespaces[0].overflow_key: is for overflow: latest only", ""},
    {"channel: {without_namespace: {overflow_max_bytes: 0}}",
     ":1:51: channel.without_namespace.overflow_max_bytes: must be 1 to 1048576", ""},
    {"channel: {without_namespace: {overflow_max_delay: 6m}}",
     ":1:51: channel.without_namespace.overflow_max_delay: must be at most 5m", ""},
    {"channel: {namespaces: [{name: ab, delta_publish: true}]}",
     ":1:50: channel.namespaces[0].delta_publish:", "allowed_delta_types"},
    {"channel:\n  namespaces:\n  - {name: ab, history_size: 1, history_ttl: 2h, history_meta_ttl: "
     "1h}",
     ":3:68: channel.namespaces[0].history_meta_ttl: is less than history_ttl", ""},
    {"channel:\n  history_meta_ttl: 1h\n  namespaces:\n  - {name: ab, history_size: 1, "
     "history_ttl: "
     "2h}",
     ":4:46: channel.namespaces[0].history_meta_ttl: is less than history_ttl",
     "channel.history_meta_ttl"},
    {"channel: {namespaces: [{presence: true}]}", ":1:24: channel.namespaces[0]: has no name", ""},
    {"channel: {namespaces: [{name: a}]}", ":1:31: channel.namespaces[0].name:", "two or more"},
    {"channel: {namespaces: [{name: \"a b\"}]}", ":1:31: channel.namespaces[0].name:", "letters"},
    {"channel: {namespaces: [{name: ab}, {name: cd}, {name: ab}]}",
     ":1:55: channel.namespaces[2].name:", "also the name of channel.namespaces[0]"},
    {"channel: {max_length: 256}", ":1:23: channel.max_length: must be 1 to 255", ""},
    {"channel: {max_length: 0}", ":1:23: channel.max_length: must be 1 to 255", ""},
    {"client: {pong_timeout: 25s}", ":1:24: client.pong_timeout: must be less than", "(25s)"},
    {"client: {ping_interval: 5s}", ":1:25: client.pong_timeout: must be less than", "(5s)"},
    {"client: {subscribe_to_user_personal_channel: {personal_channel_namespace: user}}",
     ":1:75: client.subscribe_to_user_personal_channel.personal_channel_namespace:",
     "there is no namespace \"user\""},
    {"client: {token: {audience: a, audience_regex: b}}",
     ":1:47: client.token.audience_regex:", "keep one"},
    {"client: {subscription_token: {issuer: a, issuer_regex: b}}",
     ":1:56: client.subscription_token.issuer_regex:", "keep one"},
    {"client: {token: {user_id_claim: a-b}}", ":1:33: client.token.user_id_claim:", "letters"},
    {"websocket: {handler_prefix: ws}", ":1:29: websocket.handler_prefix: must begin with", "/"},
    {"health: {enabled: true, handler_prefix: /api}",
     ":1:41: health.handler_prefix:", "is also http_api.handler_prefix"},
    {"client: {ping_interval: 10500ms}", ":1:25: client.ping_interval: must be whole seconds", ""},
    {"client: {ping_interval: 876001h}", ":1:25: client.ping_interval:", "at most 100 years"},
    {"client: {channel_limit: 0}", ":1:25: client.channel_limit: must be at least 1", ""},
    {"client: {queue_max_size: 0}", ":1:26: client.queue_max_size: must be at least 1", ""},
    {"client: {publish_max_delay: 5ms}",
     ":1:29: client.publish_max_delay: must be 10ms to 1m; 0 is never", ""},
    {"client: {stale_close_delay: 0s}", ":1:29: client.stale_close_delay: must be above 0", ""},
    {"websocket: {message_size_limit: 0}", ":1:33: websocket.message_size_limit:", "at least 1"},
    {"websocket: {compression_level: 0}", ":1:32: websocket.compression_level: must be 1", "to 9"},
    {"websocket: {compression_level: 10}", ":1:32: websocket.compression_level:", "to 9 (small)"},
    {"shards: 65", ":1:9: shards: must be at most 64", ""},
};

TEST(BadFilesTest, EachIsRefusedWithItsPlaceAndAdvice) {
  for (const BadFile& bad : kBadFiles) {
    Sources sources;
    const std::string name = *bad.text == '{' ? "c.json" : "c.yaml";
    sources.files.push_back({name, bad.text});
    const auto loaded = load(sources);
    ASSERT_FALSE(loaded) << bad.text;
    const std::string said = loaded.error().front().text();
    EXPECT_TRUE(said.starts_with(name + bad.begin)) << bad.text << "\n  " << said;
    EXPECT_NE(said.find(bad.words), std::string::npos) << bad.text << "\n  " << said;
  }
}

TEST(BadFilesTest, OneRunTellsAllProblemsInOrder) {
  Sources sources;
  sources.files.push_back({"c.yaml", "shards: x\nclint: {}\nengine: {type: redis}\n"});
  const auto loaded = load(sources);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 3u);
  for (size_t n = 0; n < 3; ++n) EXPECT_EQ(loaded.error()[n].place.at.line, n + 1);
}

}  // namespace
}  // namespace parley::config
