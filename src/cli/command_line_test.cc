#include "cli/command_line.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::expected<Command, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "parley");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

template <class T>
T as(std::vector<const char*> arguments) {
  auto command = parse(std::move(arguments));
  EXPECT_TRUE(command.has_value()) << command.error().err << command.error().out;
  return command ? std::get<T>(*command) : T{};
}

EarlyExit exit_of(std::vector<const char*> arguments) {
  auto command = parse(std::move(arguments));
  EXPECT_FALSE(command.has_value());
  return command ? EarlyExit{-1, "", ""} : command.error();
}

class CommandLine : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("PARLEY_URL");
    unsetenv("PARLEY_API_KEY");
  }
  void TearDown() override { SetUp(); }
};

TEST_F(CommandLine, PublishNeedsNothingButChannelAndData) {
  const auto command = as<PublishCommand>({"pub", "news", R"({"a":1})"});
  EXPECT_EQ(command.url, "http://127.0.0.1:8000");
  EXPECT_EQ(command.channel, "news");
  EXPECT_EQ(command.data, R"({"a":1})");
  EXPECT_EQ(command.kind, DataKind::kDetect);
  EXPECT_EQ(command.event, "");
  EXPECT_EQ(command.idempotency_key, "");
}

TEST_F(CommandLine, PublishTakesDataAsItIs) {
  for (const char* data :
       {"{}", "[]", "[1,2]", "\"x\"", "", " ", "-", "a b", "%%", "[", "{\"a\":[]}"})
    EXPECT_EQ(as<PublishCommand>({"pub", "news", data}).data, data);
  EXPECT_EQ(as<PublishCommand>({"pub", "news", "--", "-1"}).data, "-1");
  EXPECT_EQ(as<PublishCommand>({"pub", "--text", "news", "--", "--json"}).data, "--json");
}

TEST_F(CommandLine, PublishKnowsItsOptions) {
  const auto command = as<PublishCommand>({"pub", "a/b", "x", "--event", "created", "--key=k1",
                                           "--url", "https://example.org/", "--text"});
  EXPECT_EQ(command.url, "https://example.org");
  EXPECT_EQ(command.event, "created");
  EXPECT_EQ(command.idempotency_key, "k1");
  EXPECT_EQ(command.kind, DataKind::kText);
  EXPECT_EQ(as<PublishCommand>({"pub", "--as-json", "c", "1"}).kind, DataKind::kJson);
  EXPECT_EQ(as<PublishCommand>({"pub", "--binary", "c", "1"}).kind, DataKind::kBinary);
}

TEST_F(CommandLine, SubscribeTakesOneOrMoreChannels) {
  const auto one = as<SubscribeCommand>({"sub", "news"});
  EXPECT_THAT(one.channels, ElementsAre("news"));
  EXPECT_EQ(one.url, "http://127.0.0.1:8000");
  EXPECT_EQ(one.count, 0u);
  EXPECT_EQ(one.since, "");
  EXPECT_FALSE(one.verbose);
  EXPECT_TRUE(one.reconnect);
  const auto more =
      as<SubscribeCommand>({"sub", "news", "orders", "-v", "--count", "2", "--no-reconnect"});
  EXPECT_THAT(more.channels, ElementsAre("news", "orders"));
  EXPECT_EQ(more.count, 2u);
  EXPECT_TRUE(more.verbose);
  EXPECT_FALSE(more.reconnect);
  EXPECT_EQ(as<SubscribeCommand>({"sub", "news", "--since", "1f.41"}).since, "1f.41");
}

TEST_F(CommandLine, TakesTheServerFromTheEnvironment) {
  setenv("PARLEY_URL", "http://there:9", 1);
  EXPECT_EQ(as<SubscribeCommand>({"sub", "news"}).url, "http://there:9");
  EXPECT_EQ(as<PublishCommand>({"pub", "news", "1"}).url, "http://there:9");
  EXPECT_EQ(as<PublishCommand>({"pub", "news", "1", "--url", "http://here"}).url, "http://here");
  setenv("PARLEY_URL", "there:9", 1);
  EXPECT_EQ(exit_of({"sub", "news"}).code, kExitUsage);
}

using Flags = std::vector<std::pair<std::string, std::string>>;

TEST_F(CommandLine, DevAndServeSetOptionsOfTheConfiguration) {
  const auto dev = as<ServeCommand>({"dev"});
  EXPECT_TRUE(dev.dev);
  EXPECT_FALSE(dev.echo);
  EXPECT_TRUE(as<ServeCommand>({"dev", "--echo"}).echo);
  EXPECT_EQ(dev.source.file, "");
  EXPECT_EQ(dev.source.flags, Flags());
  const auto serve =
      as<ServeCommand>({"serve", "--listen", "[::1]:0", "--shards", "4", "--log-level", "debug",
                        "--log-format", "json", "--api-key", "k", "--config", "p.yaml", "--set",
                        "client.ping_interval=10s", "--set", "node.name=a=b"});
  EXPECT_FALSE(serve.dev);
  EXPECT_EQ(serve.source.file, "p.yaml");
  Flags flags = serve.source.flags;
  std::ranges::sort(flags);
  EXPECT_EQ(flags, (Flags{{"client.ping_interval", "10s"},
                          {"http_api.key", "k"},
                          {"http_server.address", "::1"},
                          {"http_server.port", "0"},
                          {"log.format", "json"},
                          {"log.level", "debug"},
                          {"node.name", "a=b"},
                          {"shards", "4"}}));
  setenv("PARLEY_API_KEY", "secret", 1);
  EXPECT_EQ(as<ServeCommand>({"serve"}).source.flags, (Flags{{"http_api.key", "secret"}}));
}

TEST_F(CommandLine, CheckAndTokenTakeAConfiguration) {
  EXPECT_EQ(as<CheckCommand>({"check", "p.yaml"}).source.file, "p.yaml");
  EXPECT_EQ(as<CheckCommand>({"check", "p.yaml", "--set", "a.b=c", "--set", "d=e=f"}).source.flags,
            (Flags{{"a.b", "c"}, {"d", "e=f"}}));
  setenv("PARLEY_API_KEY", "secret", 1);
  EXPECT_EQ(as<CheckCommand>({"check", "p.yaml"}).source.flags,
            (Flags{{"http_api.key", "secret"}}));
  const auto token = as<TokenCommand>({"token", "-c", "p.yaml", "-u", "42", "-s", "news"});
  EXPECT_EQ(token.source.file, "p.yaml");
  EXPECT_EQ(token.user, "42");
  EXPECT_EQ(token.channel, "news");
  EXPECT_EQ(token.ttl, 7 * 24 * 3600);
  EXPECT_EQ(as<TokenCommand>({"token", "--ttl", "0"}).ttl, 0);
}

TEST_F(CommandLine, BenchMakesAPlanOfItsOptions) {
  setenv("PARLEY_URL", "http://there:9", 1);
  setenv("PARLEY_API_KEY", "secret", 1);
  const auto command =
      as<BenchCommand>({"bench", "fanout", "--subscribers", "7", "--window", "16", "--seconds",
                        "0.5", "--protocol", "eventsource", "--pid", "1", "--json"});
  EXPECT_TRUE(command.json);
  EXPECT_EQ(command.request.scenario, bench::Scenario::kFanOut);
  EXPECT_EQ(command.request.url, "http://there:9");
  EXPECT_EQ(command.request.pid, 1);
  EXPECT_EQ(command.request.seconds, 0.5);
  EXPECT_EQ(command.request.plan.protocol, bench::Protocol::kEventSource);
  EXPECT_EQ(command.request.plan.subscribers, 7u);
  EXPECT_EQ(command.request.plan.window, 16u);
  EXPECT_EQ(command.request.plan.api_key, "secret");
}

TEST_F(CommandLine, JsonIsAboutWhatIsPrinted) {
  EXPECT_TRUE(as<PublishCommand>({"pub", "c", "1", "--json"}).json);
  EXPECT_EQ(as<PublishCommand>({"pub", "c", "1", "--json"}).kind, DataKind::kDetect);
  EXPECT_TRUE(as<SubscribeCommand>({"sub", "c", "--json"}).json);
  EXPECT_TRUE(as<CheckCommand>({"check", "p.yaml", "--json"}).json);
  EXPECT_TRUE(as<TokenCommand>({"token", "--json"}).json);
}

TEST_F(CommandLine, CompletionKnowsEveryCommandAndItsOptions) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = as<CompletionCommand>({"completion", shell}).script;
    for (const char* word : {"serve", "completion", "config", "log-level", "debug", "zsh", "json"})
      EXPECT_THAT(script, HasSubstr(word)) << shell;
  }
}

TEST_F(CommandLine, VersionIsACommandAndAnOption) {
  EXPECT_FALSE(as<VersionCommand>({"version"}).json);
  EXPECT_TRUE(as<VersionCommand>({"version", "--json"}).json);
  const EarlyExit asked = exit_of({"--version"});
  EXPECT_EQ(asked.code, kExitOk);
  EXPECT_THAT(asked.out, HasSubstr("parley 0."));
}

TEST_F(CommandLine, HelpTeachesOnStdout) {
  for (const auto& [arguments, example] :
       std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{"--help"}, "parley sub news"},
           {{"dev", "--help"}, "parley dev --listen"},
           {{"serve", "--help"}, "PARLEY_API_KEY"},
           {{"check", "--help"}, "parley check parley.yaml"},
           {{"token", "--help"}, "--channel"},
           {{"pub", "--help"}, R"(parley pub news '{"a":1}')"},
           {{"sub", "-h"}, "--since 1f.41"},
           {{"bench", "--help"}, "parley bench fanout --window 16"},
           {{"completion", "--help"}, "source <(parley completion bash)"},
           {{"version", "--help"}, "--json"}}) {
    const EarlyExit help = exit_of(arguments);
    EXPECT_EQ(help.code, kExitOk);
    EXPECT_EQ(help.err, "");
    EXPECT_THAT(help.out, HasSubstr(example));
  }
}

TEST_F(CommandLine, WrongUsageIsToldOnStderrWithStatusTwo) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases{
      {{}, "--help"},
      {{"publish"}, "no command \"publish\"; did you mean pub?"},
      {{"chekc"}, "did you mean check?"},
      {{"nonsense"}, "no command \"nonsense\"\n"},
      {{"dev", "--shard", "3"}, "parley dev has no option --shard; did you mean --shards?"},
      {{"sub", "news", "--verbos=1"}, "did you mean --verbose?"},
      {{"pub", "news", "a", "b"}, "b is left over"},
      {{"sub", "news", "--json", "-v"}, "--verbose"},
      {{"completion"}, "SHELL"},
      {{"completion", "csh"}, "\"csh\" is none of bash|zsh|fish"},
      {{"pub"}, "CHANNEL"},
      {{"pub", "news"}, "DATA"},
      {{"pub", "", "x"}, "empty"},
      {{"pub", "news", "a", "b"}, "parley pub --help"},
      {{"pub", "news", "a", "--as-json", "--text"}, "--text"},
      {{"pub", "news", "a", "--url", "localhost:8000"}, "localhost:8000"},
      {{"pub", "news", "a", "--url", "http://"}, "--url"},
      {{"sub"}, "CHANNEL"},
      {{"sub", "news", "--count", "0"}, "--count: \"0\" is not a whole number above 0"},
      {{"sub", "news", "--count", "x"}, "--count"},
      {{"sub", "a", "b", "--since", "1.2"}, "one channel"},
      {{"sub", "news", "--nonsense"}, "--nonsense"},
      {{"sub", "[x]"}, "square brackets"},
      {{"dev", "--listen", "8000"}, "HOST:PORT"},
      {{"dev", "--listen", ":8000"}, "HOST:PORT"},
      {{"dev", "--listen", "::1:8000"}, "HOST:PORT"},
      {{"dev", "--listen", "[]:1"}, "HOST:PORT"},
      {{"dev", "--listen", "h:65536"}, "HOST:PORT"},
      {{"dev", "--shards", "0"}, "--shards"},
      {{"dev", "--shards", "65"}, "--shards"},
      {{"dev", "--log-level", "loud"}, "loud"},
      {{"dev", "--api-key", "k"}, "--api-key"},
      {{"serve", "--echo"}, "--echo"},
      {{"serve", "--set", "client.ping_interval"}, "PATH=VALUE"},
      {{"check"}, "FILE"},
      {{"check", "p.yaml", "--set", "client"}, "PATH=VALUE"},
      {{"bench"}, "SCENARIO"},
      {{"bench", "storm"}, "\"storm\" is none of connect|fanout"},
      {{"bench", "connect", "--rate", "5"}, "parley bench connect has no use for --rate"},
      {{"bench", "fanout", "--rate", "5", "--window", "2"}, "--window"},
      {{"bench", "fanout", "--rate", "0"}, "--rate: \"0\" is not a number above 0"},
      {{"bench", "fanout", "--subscribers", "0"}, "--subscribers"},
      {{"bench", "fanout", "--payload", "10"}, "--payload"},
      {{"bench", "fanout", "--protocol", "mqtt"}, "--protocol"},
      {{"bench", "fanout", "--prefix", "a b"}, "--prefix"},
      {{"bench", "fanout", "--url", "https://h"}, "no TLS"},
      {{"bench", "fanout", "--seconds", "x"}, "--seconds"},
      {{"bench", "fanout", "--window", "1", "--windw", "2"}, "did you mean --window?"},
      {{"bench", "idle"}, "--pid"},
      {{"token", "--ttl", "-1"}, "--ttl"},
      {{"token", "--ttl", "1h"}, "\"1h\" is not a whole number of seconds"},
  };
  for (const auto& [arguments, hint] : cases) {
    const EarlyExit exit = exit_of(arguments);
    EXPECT_EQ(exit.code, kExitUsage) << hint;
    EXPECT_EQ(exit.out, "");
    EXPECT_THAT(exit.err, HasSubstr(hint));
  }
}

}  // namespace
}  // namespace parley::cli
