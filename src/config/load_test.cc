#include "config/load.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "config/reference.h"

namespace parley::config {
namespace {

std::string texts(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += problem.text() + "\n";
  return out;
}

std::expected<Loaded, std::vector<Problem>> load_text(const std::string& name,
                                                      const std::string& text) {
  Sources sources;
  sources.files.push_back({name, text});
  return load(sources);
}

Config must_load(const std::string& name, const std::string& text) {
  auto loaded = load_text(name, text);
  if (!loaded) {
    ADD_FAILURE() << texts(loaded.error());
    return {};
  }
  return loaded->config;
}

// The settings that the tests of centrifuge-js 5.7.1 run with, as far as streams need them.
constexpr char kStreamsYaml[] = R"(
client:
  insecure: true
  concurrency: 8
  token:
    hmac_secret_key: secret
http_stream:
  enabled: true
sse:
  enabled: true
http_api:
  key: test-api-key
shared_poll:
  hmac_secret_key: test-poll-secret
map_broker:
  type: memory
proxies:
  - name: poll_backend
    endpoint: http://127.0.0.1:3010/refresh
    timeout: 5s
channel:
  without_namespace:
    presence: true
    allowed_delta_types: [fossil]
    delta_publish: true
    history_size: 100
    history_ttl: 300s
    force_recovery: true
  namespaces:
    - name: delta
      allow_subscribe_for_client: true
      allow_publish_for_subscriber: true
      allowed_delta_types: [fossil]
      delta_publish: true
      force_recovery: true
      history_size: 100
      history_ttl: 300s
    - name: recovery
      allow_subscribe_for_client: true
      allow_publish_for_subscriber: true
      force_recovery: true
      history_size: 100
      history_ttl: 300s
    - name: smallhistory
      allow_subscribe_for_client: true
      allow_publish_for_subscriber: true
      force_recovery: true
      history_size: 2
      history_ttl: 300s
)";

constexpr char kStreamsJson[] = R"({
  "client": {"insecure": true, "concurrency": 8, "token": {"hmac_secret_key": "secret"}},
  "http_stream": {"enabled": true}, "sse": {"enabled": true},
  "http_api": {"key": "test-api-key"},
  "shared_poll": {"hmac_secret_key": "test-poll-secret"},
  "map_broker": {"type": "memory"},
  "proxies": [{"name": "poll_backend", "endpoint": "http://127.0.0.1:3010/refresh", "timeout": "5s"}],
  "channel": {
    "without_namespace": {
      "presence": true, "allowed_delta_types": ["fossil"], "delta_publish": true,
      "history_size": 100, "history_ttl": "300s", "force_recovery": true
    },
    "namespaces": [
      {"name": "delta", "allow_subscribe_for_client": true, "allow_publish_for_subscriber": true,
       "allowed_delta_types": ["fossil"], "delta_publish": true, "force_recovery": true,
       "history_size": 100, "history_ttl": "300s"},
      {"name": "recovery", "allow_subscribe_for_client": true, "allow_publish_for_subscriber": true,
       "force_recovery": true, "history_size": 100, "history_ttl": "5m"},
      {"name": "smallhistory", "allow_subscribe_for_client": true,
       "allow_publish_for_subscriber": true, "force_recovery": true, "history_size": 2,
       "history_ttl": "300s"}
    ]
  }
})";

Config streams_config() {
  Config config;
  config.client.insecure = true;
  config.http_stream.enabled = true;
  config.sse.enabled = true;
  config.client.token.hmac_secret_key = "secret";
  config.http_api.key = "test-api-key";
  Namespace& without = config.channel.without_namespace;
  without.presence = true;
  without.allowed_delta_types = {"fossil"};
  without.delta_publish = true;
  Namespace recovery;
  recovery.name = "recovery";
  recovery.allow_subscribe_for_client = true;
  recovery.allow_publish_for_subscriber = true;
  for (Namespace* options : {&without, &recovery}) {
    options->history_size = 100;
    options->history_ttl = seconds(300);
    options->history_meta_ttl = std::chrono::hours(720);
    options->force_recovery = true;
  }
  Namespace delta = recovery;
  delta.name = "delta";
  delta.allowed_delta_types = {"fossil"};
  delta.delta_publish = true;
  Namespace small = recovery;
  small.name = "smallhistory";
  small.history_size = 2;
  config.channel.namespaces = {delta, recovery, small};
  return config;
}

TEST(LoadTest, ACentrifugoFileIsRead) {
  const auto loaded = load_text("centrifugo.yaml", kStreamsYaml);
  ASSERT_TRUE(loaded) << texts(loaded.error());
  Config expected = streams_config();
  expected.warnings = loaded->config.warnings;
  EXPECT_EQ(loaded->config, expected);
  ASSERT_EQ(loaded->config.warnings.size(), 1u);
  EXPECT_TRUE(loaded->config.warnings[0].starts_with("client.insecure is on"));
  EXPECT_EQ(texts(loaded->warnings),
            "centrifugo.yaml:4:16: client.concurrency: is ignored: commands do not wait for one "
            "another\n");
}

TEST(LoadTest, YamlAndJsonGiveTheSame) {
  EXPECT_EQ(must_load("c.yaml", kStreamsYaml), must_load("c.json", kStreamsJson));
}

TEST(LoadTest, WhatMapsAndPollsNeedIsRefusedByName) {
  const auto loaded = load_text("c.yaml", std::string(kStreamsYaml) + R"(
    - name: streamless
      subscription_type: map
      map: {mode: ephemeral, key_ttl: 60s, allow_publish_for_client: true}
    - name: poll
      subscription_type: shared_poll
      shared_poll: {proxy_name: poll_backend, mode: versioned, refresh_interval: 200ms}
    - name: prestest
      subscription_type: map
      map_clients_presence_channel_prefix: "prescli:"
      client_publish_debounce_interval: 50ms
)");
  ASSERT_FALSE(loaded);
  const std::string expected =
      "c.yaml:52:26: channel.namespaces[3].subscription_type: map is not supported yet, and "
      "without "
      "it clients would get streams where they expect maps or polls; remove it\n"
      "c.yaml:55:26: channel.namespaces[4].subscription_type: shared_poll is not supported yet, "
      "and "
      "without it clients would get streams where they expect maps or polls; remove it\n"
      "c.yaml:58:26: channel.namespaces[5].subscription_type: map is not supported yet, and "
      "without "
      "it clients would get streams where they expect maps or polls; remove it\n"
      "c.yaml:59:44: channel.namespaces[5].map_clients_presence_channel_prefix: prescli: is not "
      "supported yet, and without it presence would not be kept in those map channels; remove it\n";
  EXPECT_EQ(texts(loaded.error()), expected);
}

TEST(LoadTest, NothingGivesTheDefaults) {
  Config expected;
  expected.channel.without_namespace.history_meta_ttl = std::chrono::hours(720);
  EXPECT_EQ(load({})->config, expected);
  EXPECT_EQ(must_load("c.yaml", "# all defaults\n"), expected);
  EXPECT_EQ(must_load("c.json", "{}"), expected);
  EXPECT_EQ(must_load("c.yaml", "client:\nchannel:\n  without_namespace:\n"), expected);
}

TEST(LoadTest, TheRenderedDefaultsAreAFileThatGivesThem) {
  EXPECT_EQ(must_load("c.yaml", render_defaults()), load({})->config);
}

TEST(LoadTest, ARefusedOptionMayHaveItsDefault) {
  const Config config = must_load("c.yaml", R"(
engine: {type: memory, redis: {address: ["redis://x:1"]}}
http_server: {tls: {enabled: false, cert_pem: x.pem}, internal_port: 0}
client: {connection_limit: 0, proxy: {connect: {enabled: false, endpoint: "http://x"}}}
consumers: [{name: k, type: kafka, enabled: false, kafka: {brokers: [a]}}]
channel: {without_namespace: {subscription_type: stream, subscribe_proxy_enabled: false}}
)");
  EXPECT_EQ(config, load({})->config);
}

TEST(LoadTest, AValueOfTheWrongTypeIsNotRepeatedForItMayBeASecret) {
  for (const char* text : {"client: {token: {hmac_secret_key: 77004411}}",
                           "http_api: {key: 77004411}", "http_api: 77004411",
                           "client: {token: sec77004411}", "{\"http_api\": {\"key\": 77004411}}"}) {
    Sources sources;
    sources.files = {{text[0] == '{' ? "c.json" : "c.yaml", text}};
    const auto loaded = load(sources);
    ASSERT_FALSE(loaded.has_value()) << text;
    for (const Problem& problem : loaded.error())
      EXPECT_EQ(problem.text().find("77004411"), std::string::npos) << problem.text();
  }
}

TEST(LoadTest, LaterFilesAndFlagsWin) {
  Sources sources;
  sources.files.push_back({"a.yaml",
                           "http_server: {port: 1, address: a}\nchannel: {namespaces: "
                           "[{name: n1}, {name: n2}]}"});
  sources.files.push_back({"b.json", R"({"http_server": {"port": 2},
                                          "channel": {"namespaces": [{"name": "n3"}]}})"});
  sources.environment["PARLEY_HTTP_SERVER_PORT"] = "3";
  auto loaded = load(sources);
  ASSERT_TRUE(loaded) << texts(loaded.error());
  EXPECT_EQ(loaded->config.http_server.port, 3);
  EXPECT_EQ(loaded->config.http_server.address, "a");
  ASSERT_EQ(loaded->config.channel.namespaces.size(), 1u);
  EXPECT_EQ(loaded->config.channel.namespaces[0].name, "n3");
  sources.flags = {{"http_server.port", "4"}, {"client.allowed_origins", "a b"}};
  loaded = load(sources);
  ASSERT_TRUE(loaded) << texts(loaded.error());
  EXPECT_EQ(loaded->config.http_server.port, 4);
  EXPECT_EQ(loaded->config.client.allowed_origins, (Strings{"a", "b"}));
}

TEST(LoadTest, OnlyTheLastWordIsJudged) {
  Sources sources;
  sources.files.push_back({"a.yaml", "engine: {type: redis}"});
  ASSERT_FALSE(load(sources));
  sources.flags = {{"engine.type", "memory"}};
  EXPECT_TRUE(load(sources));
}

TEST(LoadTest, FlagsAreChecked) {
  Sources sources;
  sources.flags = {{"http_server.prot", "1"}, {"http_server.port", "x"}, {"prot", "1"}};
  const auto loaded = load(sources);
  ASSERT_FALSE(loaded);
  const std::string all = texts(loaded.error());
  EXPECT_NE(all.find("command line: http_server.prot: there is no such option; did you mean "
                     "port?"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("command line: http_server.port: \"x\" is not a whole decimal number"),
            std::string::npos)
      << all;
}

TEST(LoadTest, NamespacesInheritWhatTheyDoNotSay) {
  const Config config = must_load("c.yaml", R"(
channel:
  history_meta_ttl: 2h
  publication_data_format: json
  namespaces:
    - name: silent
    - {name: own, history_meta_ttl: 1h, publication_data_format: binary}
    - {name: empty, publication_data_format: ""}
)");
  const auto& namespaces = config.channel.namespaces;
  ASSERT_EQ(namespaces.size(), 3u);
  EXPECT_EQ(namespaces[0].history_meta_ttl, std::chrono::hours(2));
  EXPECT_EQ(namespaces[0].publication_data_format, DataFormat::kJson);
  EXPECT_EQ(namespaces[1].history_meta_ttl, std::chrono::hours(1));
  EXPECT_EQ(namespaces[1].publication_data_format, DataFormat::kBinary);
  EXPECT_EQ(namespaces[2].publication_data_format, DataFormat::kJson);
  EXPECT_EQ(config.channel.without_namespace.publication_data_format, DataFormat::kJson);
}

TEST(LoadTest, PrefixesLoseTheirLastSlash) {
  EXPECT_EQ(must_load("c.yaml", "http_api: {handler_prefix: /my/api/}").http_api.handler_prefix,
            "/my/api");
}

TEST(LoadTest, EveryInsecureModeIsTold) {
  const Config config = must_load("c.yaml", R"(
client: {insecure: true, insecure_skip_token_signature_verify: true, user_id_http_header: X-User,
         token: {insecure_skip_jwks_endpoint_safety_check: true}}
http_api: {insecure: true}
)");
  EXPECT_EQ(config.warnings.size(), 5u);
}

TEST(LoadTest, ExtraChecksRunWhenAllElseIsWellAndKnowTheLine) {
  Sources sources;
  sources.files.push_back({"c.yaml", R"(channel:
  max_length: 9
  namespaces:
    - name: chat
      channel_regex: "("
)"});
  int runs = 0;
  sources.checks.push_back([&](const Config& config) -> std::vector<Finding> {
    ++runs;
    if (config.channel.namespaces[0].channel_regex != "(") return {};
    return {{"channel.namespaces[0].channel_regex", "is not closed", {}},
            {"channel.namespaces[0].presence", "is off", {}},
            {"channel", "is odd", {}},
            {"client", "is not there", {}}};
  });
  const auto loaded = load(sources);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(texts(loaded.error()),
            "client: is not there\n"
            "c.yaml:2:15: channel: is odd\n"
            "c.yaml:4:7: channel.namespaces[0].presence: is off\n"
            "c.yaml:5:22: channel.namespaces[0].channel_regex: is not closed\n");
  sources.files.push_back({"d.yaml", "nonsense: 1"});
  EXPECT_FALSE(load(sources));
  EXPECT_EQ(runs, 1);
}

TEST(LoadTest, ProblemsAreCollectedUpToALimit) {
  std::string text;
  for (int n = 0; n < 30; ++n) text += "nonsense" + std::to_string(n) + ": 1\n";
  const auto loaded = load_text("c.yaml", text);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().size(), kMaxProblems + 1);
  EXPECT_EQ(loaded.error().back().text(), "and 10 more; mend these first");
}

TEST(LoadTest, FilesAreReadAndTheirAbsenceIsTold) {
  const auto file = read_file("layers.toml");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, "layers.toml");
  EXPECT_NE(file->text.find("[modules]"), std::string::npos);
  const auto none = read_file("no-such-file.yaml");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "no-such-file.yaml cannot be read: No such file or directory");
  EXPECT_FALSE(read_file("src"));
}

}  // namespace
}  // namespace parley::config
