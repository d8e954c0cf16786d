#include "config/environment.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace parley::config {
namespace {

std::expected<Loaded, std::vector<Problem>> load_with(const Environment& environment,
                                                      const std::string& yaml = "# nothing\n") {
  Sources sources;
  sources.files.push_back({"c.yaml", yaml});
  sources.environment = environment;
  return load(sources);
}

Config must_load(const Environment& environment, const std::string& yaml = "# nothing\n") {
  auto loaded = load_with(environment, yaml);
  if (loaded) return loaded->config;
  for (const Problem& problem : loaded.error()) ADD_FAILURE() << problem.text();
  return {};
}

std::string first_problem(const Environment& environment, const std::string& yaml = "# nothing\n") {
  const auto loaded = load_with(environment, yaml);
  return loaded ? "" : loaded.error().front().text();
}

TEST(EnvironmentTest, EveryTypeIsRead) {
  const Config config = must_load({
      {"CENTRIFUGO_HTTP_SERVER_PORT", "9000"},
      {"CENTRIFUGO_CLIENT_ALLOWED_ORIGINS", "https://a.example https://b.example"},
      {"CENTRIFUGO_CLIENT_PING_INTERVAL", "1m"},
      {"CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY", "se cret"},
      {"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_PRESENCE", "true"},
      {"PARLEY_LOG_LEVEL", "debug"},
      {"PARLEY_SHARDS", "2"},
      {"PATH", "/bin"},
  });
  EXPECT_EQ(config.http_server.port, 9000);
  EXPECT_EQ(config.client.allowed_origins, (Strings{"https://a.example", "https://b.example"}));
  EXPECT_EQ(config.client.ping_interval, seconds(60));
  EXPECT_EQ(config.client.token.hmac_secret_key, "se cret");
  EXPECT_TRUE(config.channel.without_namespace.presence);
  EXPECT_EQ(config.log.level, log::Level::kDebug);
  EXPECT_EQ(config.shards, 2u);
}

TEST(EnvironmentTest, ItWinsOverFilesAndEmptyIsNone) {
  const std::string yaml = "http_server: {port: 1, address: a}";
  const Config config =
      must_load({{"PARLEY_HTTP_SERVER_PORT", "2"}, {"PARLEY_HTTP_SERVER_ADDRESS", ""}}, yaml);
  EXPECT_EQ(config.http_server.port, 2);
  EXPECT_EQ(config.http_server.address, "a");
}

TEST(EnvironmentTest, BothPrefixesMustAgree) {
  EXPECT_EQ(must_load({{"PARLEY_SHARDS", "2"}, {"CENTRIFUGO_SHARDS", "2"}}).shards, 2u);
  EXPECT_EQ(
      first_problem({{"PARLEY_SHARDS", "2"}, {"CENTRIFUGO_SHARDS", "3"}}),
      "environment variable PARLEY_SHARDS: CENTRIFUGO_SHARDS says something else; keep one of "
      "the two");
}

TEST(EnvironmentTest, NamespacesAsJsonReplaceThoseOfTheFile) {
  const Config config =
      must_load({{"CENTRIFUGO_CHANNEL_NAMESPACES", R"([{"name": "env", "presence": true}])"}},
                "channel: {namespaces: [{name: file}]}");
  ASSERT_EQ(config.channel.namespaces.size(), 1u);
  EXPECT_EQ(config.channel.namespaces[0].name, "env");
  EXPECT_TRUE(config.channel.namespaces[0].presence);
}

TEST(EnvironmentTest, NamespacesByNameAndTheirOptions) {
  const Config config = must_load({
      {"CENTRIFUGO_CHANNEL_NAMESPACES", "ns1 ns-2"},
      {"CENTRIFUGO_CHANNEL_NAMESPACES_NS1_HISTORY_SIZE", "10"},
      {"CENTRIFUGO_CHANNEL_NAMESPACES_NS1_HISTORY_TTL", "60s"},
      {"PARLEY_CHANNEL_NAMESPACES_NS_2_ALLOWED_DELTA_TYPES", "fossil"},
  });
  ASSERT_EQ(config.channel.namespaces.size(), 2u);
  EXPECT_EQ(config.channel.namespaces[0].name, "ns1");
  EXPECT_EQ(config.channel.namespaces[0].history_size, 10u);
  EXPECT_EQ(config.channel.namespaces[0].history_ttl, seconds(60));
  EXPECT_EQ(config.channel.namespaces[1].name, "ns-2");
  EXPECT_EQ(config.channel.namespaces[1].allowed_delta_types, Strings{"fossil"});
}

TEST(EnvironmentTest, ANamespaceOfTheFileIsOverlaid) {
  const Config config = must_load({{"PARLEY_CHANNEL_NAMESPACES_CHAT_PRESENCE", "true"}},
                                  "channel: {namespaces: [{name: chat, join_leave: true}]}");
  ASSERT_EQ(config.channel.namespaces.size(), 1u);
  EXPECT_TRUE(config.channel.namespaces[0].presence);
  EXPECT_TRUE(config.channel.namespaces[0].join_leave);
}

TEST(EnvironmentTest, ANameInsideAnotherIsToldFromIt) {
  const Config config = must_load({{"PARLEY_CHANNEL_NAMESPACES_CHAT_ROOM_PRESENCE", "true"}},
                                  "channel: {namespaces: [{name: chat}, {name: chat_room}]}");
  EXPECT_FALSE(config.channel.namespaces[0].presence);
  EXPECT_TRUE(config.channel.namespaces[1].presence);
}

TEST(EnvironmentTest, AVariableThatMeansTwoNamespacesIsRefused) {
  EXPECT_EQ(first_problem({{"PARLEY_CHANNEL_NAMESPACES_A_B_PRESENCE", "true"}},
                          "channel: {namespaces: [{name: a-b}, {name: a_b}]}"),
            "environment variable PARLEY_CHANNEL_NAMESPACES_A_B_PRESENCE: may mean "
            "channel.namespaces[0] or channel.namespaces[1]; set this option in a file");
}

TEST(EnvironmentTest, WhatIsWrongIsToldWithTheVariable) {
  const std::pair<Environment, const char*> cases[] = {
      {{{"PARLEY_HTTP_SERVER_PORT", "x"}},
       "environment variable PARLEY_HTTP_SERVER_PORT: http_server.port: \"x\" is not a whole "
       "decimal "
       "number"},
      {{{"PARLEY_CLIENT_PING_INTERVAL", "25"}},
       "environment variable PARLEY_CLIENT_PING_INTERVAL: client.ping_interval: 25 has no unit; "
       "write 25s, 25ms or 25m"},
      {{{"PARLEY_CLIENT_INSECURE", "1"}},
       "environment variable PARLEY_CLIENT_INSECURE: client.insecure: \"1\" is neither true nor "
       "false"},
      {{{"PARLEY_CHANNEL_NAMESPACES", R"([{"name": "ab", "presense": true}])"}},
       "environment variable PARLEY_CHANNEL_NAMESPACES:1:17: channel.namespaces[0].presense: there "
       "is no such option; did you mean presence?"},
      {{{"PARLEY_CHANNEL_NAMESPACES", "[{]"}},
       "environment variable PARLEY_CHANNEL_NAMESPACES:1:3: channel.namespaces: a key in double "
       "quotes is expected here"},
      {{{"PARLEY_CHANNEL_NAMESPACES", "ab"}, {"PARLEY_CHANNEL_NAMESPACES_AB_HISTORY_SIZE", "-1"}},
       "environment variable PARLEY_CHANNEL_NAMESPACES_AB_HISTORY_SIZE: "
       "channel.namespaces[0].history_size: -1 is below 0"},
      {{{"PARLEY_ENGINE_TYPE", "redis"}},
       "environment variable PARLEY_ENGINE_TYPE: engine.type: redis is not supported yet"},
      {{{"CENTRIFUGO_CLIENT_PROXY_CONNECT_HTTP_STATIC_HEADERS",
         "{\"a\": \"${CENTRIFUGO_VAR_X}\"}"}},
       "environment variable CENTRIFUGO_CLIENT_PROXY_CONNECT_HTTP_STATIC_HEADERS: "
       "client.proxy.connect.http.static_headers: uses CENTRIFUGO_VAR_X"},
      {{{"PARLEY_CHANNEL_NAMESPACES", "a"}},
       "environment variable PARLEY_CHANNEL_NAMESPACES: channel.namespaces[0].name:"},
      {{{"PARLEY_HTTP_SERVER_TLS_ENABLED", "true"}},
       "environment variable PARLEY_HTTP_SERVER_TLS_ENABLED: http_server.tls.enabled: true is not "
       "supported yet"},
  };
  for (const auto& [environment, expected] : cases)
    EXPECT_TRUE(first_problem(environment).starts_with(expected)) << first_problem(environment);
}

TEST(EnvironmentTest, UnknownVariablesAreWarnedAbout) {
  const auto loaded = load_with({
      {"PARLEY_SERVICE_HOST", "10.0.0.1"},
      {"CENTRIFUGO_HTTP_SERVER_PROT", "1"},
      {"PARLEY_API_KEY", "of the command line"},
      {"PARLEY_URL", "of the command line"},
      {"PARLEY_VAR_X", "for maps"},
  });
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 2u);
  EXPECT_EQ(
      loaded->warnings[0].text(),
      "environment variable CENTRIFUGO_HTTP_SERVER_PROT: there is no such option; did you mean "
      "CENTRIFUGO_HTTP_SERVER_PORT?");
  EXPECT_EQ(loaded->warnings[1].text().substr(0, 66),
            "environment variable PARLEY_SERVICE_HOST: there is no such option");
}

TEST(EnvironmentTest, WhatLooksLikeAMistypedPermissionIsRefused) {
  for (const char* name :
       {"PARLEY_CLIENT_ALLOWED_ORIGIN", "CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET",
        "PARLEY_CHANNEL_WITHOUT_NAMESPACE_ALLOW_PUBLISH", "PARLEY_CLIENT_INSCURE",
        "PARLEY_CHANNEL_NAMESPACES_CHAT_PRESENCE", "PARLEY_ALLOW_ANONYMOUS"})
    EXPECT_TRUE(
        first_problem({{name, "x"}})
            .starts_with(std::string("environment variable ") + name + ": there is no such option"))
        << name << " " << first_problem({{name, "x"}});
}

TEST(EnvironmentTest, MapsTakeVariables) {
  EXPECT_EQ(must_load({{"CENTRIFUGO_CLIENT_PROXY_CONNECT_HTTP_STATIC_HEADERS",
                        R"({"a": "x ${CENTRIFUGO_VAR_A}${PARLEY_VAR_B} ${HOME} ${"})"},
                       {"CENTRIFUGO_VAR_A", "${CENTRIFUGO_VAR_A}"},
                       {"PARLEY_VAR_B", "b"}}),
            must_load({}));
  Layers layers;
  Report report;
  const Environment environment = {{"CENTRIFUGO_VAR_A", "${CENTRIFUGO_VAR_A}"},
                                   {"PARLEY_VAR_B", "b"}};
  SettingsReader reader(layers, environment, report);
  const Option* option = root_options().find("client.proxy.connect.http.static_headers");
  ASSERT_NE(option, nullptr);
  reader.read_text(*option, R"({"a": "x ${CENTRIFUGO_VAR_A}${PARLEY_VAR_B} ${HOME} ${"})", {});
  ASSERT_TRUE(report.empty());
  EXPECT_EQ(std::get<StringMap>(layers.find(option->path)->value).at("a"),
            "x ${CENTRIFUGO_VAR_A}b ${HOME} ${");
}

}  // namespace
}  // namespace parley::config
