#include "cli/command_line.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

#include "base/bytes.h"
#include "cli/version.h"

namespace parley::cli {
namespace {

constexpr char kAbout[] =
    R"(Parley: a realtime messaging server, and a client of it for the terminal.

Try it, in three terminals:
  parley dev                       a server that allows everything, on http://127.0.0.1:8000
  parley sub news                  print what is published to the channel "news"
  parley pub news '{"a":1}'        publish to it
)";

constexpr char kAboutDev[] =
    R"(Run a server for development: every client may do everything, every channel has presence and
keeps 1,000 messages for 10 minutes. It listens on loopback addresses only.

Open its address in a browser for a page to play with.)";
constexpr char kDevExamples[] = R"(
Examples:
  parley dev
  parley dev --listen 127.0.0.1:9000 --log-level debug
)";

constexpr char kAboutServe[] =
    R"(Run a server for production: nothing is allowed that was not granted.)";
constexpr char kServeExamples[] = R"(
Examples:
  parley serve --config parley.yaml
  parley serve --config config.json --set client.ping_interval=10s
  PARLEY_CLIENT_TOKEN_HMAC_SECRET_KEY=... parley serve --config parley.yaml

A flag wins over the environment, the environment over the file. SIGHUP reads the file again.
parley check says what is wrong with a configuration without starting anything.
)";

constexpr char kAboutCheck[] =
    R"(Say whether `parley serve` would start with this configuration, and what in it is ignored.)";
constexpr char kCheckExamples[] = R"(
Examples:
  parley check parley.yaml
  parley check config.json --set client.ping_interval=10s

It reads the same file, environment and --set as parley serve.

Exit status: 0 it would start, 1 it would not, 2 wrong usage.
)";

constexpr char kAboutToken[] =
    R"(Print a token for a user, or for a user's subscription to one channel, signed with the
configuration's HMAC key. For trying things out: in production your backend signs them.)";
constexpr char kTokenExamples[] = R"(
Examples:
  parley token --config parley.yaml --user 42
  parley token --config parley.yaml --user 42 --channel '$private:42' --ttl 600
)";

constexpr char kAboutPub[] =
    R"(Publish one message to a channel. Prints its offset in the channel and the epoch of the channel.

DATA that is valid JSON is published as JSON, other text as text, other bytes as binary.)";
constexpr char kPubExamples[] = R"(
Examples:
  parley pub news '{"a":1}'                      JSON
  parley pub news hello                          text
  parley pub news --text 42                      text, though it could be JSON
  parley pub news - <message.json                from a file
  parley pub orders '{"id":7}' --event created   with an event name, for addEventListener in a browser
  parley pub orders '{"id":7}' --key order-7     once, however often it is repeated
  parley pub news -- -1                          DATA that begins with a dash

Exit status: 0 published, 1 not published or not known, 2 wrong usage.
)";

constexpr char kAboutSub[] =
    R"(Print what is published to channels, a line per message, until Ctrl-C.

A lost connection is taken up again where it ended; what can no longer be had is told on stderr as a gap.)";
constexpr char kSubExamples[] = R"(
Examples:
  parley sub news
  parley sub news orders --verbose       channel, id, event name and data, separated by tabs
  parley sub news --count 1              wait for one message
  parley sub news --since 1f.41          begin behind the message with this id (--verbose shows ids)
  parley sub news | jq .a                JSON always takes one line

Exit status: 0 ended by --count or Ctrl-C, 1 refused or not reachable, 2 wrong usage.
)";

constexpr char kDefaultListen[] = "127.0.0.1:8000";
constexpr char kDefaultUrl[] = "http://127.0.0.1:8000";

// What the parser writes to; turned into a Command when it is done.
struct Raw {
  VersionCommand version;
  ServeCommand dev{.dev = true};
  ServeCommand serve;
  CheckCommand check;
  TokenCommand token;
  PublishCommand publish;
  SubscribeCommand subscribe;
  bool json = false;
  bool text = false;
  bool binary = false;
  bool once = false;
};

struct HostPort {
  std::string host;
  uint16_t port = 0;
};

// "HOST:PORT" or "[V6]:PORT".
std::optional<HostPort> parse_listen(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') != host.ends_with(']')) return std::nullopt;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return std::nullopt;
  }
  HostPort out{.host = std::move(host)};
  if (out.host.empty() || !parse_uint(text.substr(colon + 1), out.port)) return std::nullopt;
  return out;
}

std::string check_listen(const std::string& text) {
  if (parse_listen(text)) return {};
  return "\"" + text + "\" is not HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000";
}

std::string check_url(const std::string& url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (url.starts_with(scheme) && url.size() > scheme.size()) return {};
  return "\"" + url + "\" is not the address of a server, such as " + kDefaultUrl;
}

std::string check_channel(const std::string& channel) {
  return channel.empty() ? "a channel's name cannot be empty" : std::string();
}

// An option that is short for an option of the configuration.
CLI::Option* add_setting(CLI::App& app, const std::string& flag, const std::string& path,
                         ConfigurationSource& source, const std::string& what) {
  return app.add_option_function<std::string>(
      flag, [path, &source](const std::string& value) { source.flags.emplace_back(path, value); },
      what);
}

void add_serve_options(CLI::App& app, ConfigurationSource& source) {
  app.add_option_function<std::string>(
         "--listen",
         [&source](const std::string& text) {
           const auto at = parse_listen(text);
           if (!at) return;
           source.flags.emplace_back("http_server.address", at->host);
           source.flags.emplace_back("http_server.port", std::to_string(at->port));
         },
         "Address to listen on, as HOST:PORT; port 0 takes a free one [127.0.0.1:8000]")
      ->check(check_listen)
      ->type_name("HOST:PORT");
  add_setting(app, "--shards", "shards", source, "Threads that serve clients [one per core]")
      ->check(CLI::Range(1u, 64u))
      ->type_name("N");
  add_setting(app, "--log-level", "log.level", source, "debug, info, warn or error [info]")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}).description(""))
      ->type_name("LEVEL");
  add_setting(app, "--log-format", "log.format", source, "console or json [console]")
      ->check(CLI::IsMember({"console", "json"}).description(""))
      ->type_name("FORMAT");
}

void add_set(CLI::App& app, ConfigurationSource& source) {
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&source](const std::vector<std::string>& settings) {
           for (const std::string& setting : settings) {
             const size_t equals = setting.find('=');
             source.flags.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
           }
         },
         "Option of the configuration, as PATH=VALUE; may be repeated")
      ->check([](const std::string& setting) {
        return setting.find('=') != std::string::npos ? ""
                                                      : "\"" + setting + "\" is not PATH=VALUE";
      })
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
}

void add_configuration(CLI::App& app, ConfigurationSource& source) {
  app.add_option("--config,-c", source.file, "Configuration file, YAML or JSON")->type_name("FILE");
  add_set(app, source);
}

void add_api_key(CLI::App& app, ConfigurationSource& source) {
  add_setting(app, "--api-key", "http_api.key", source,
              "Key of the server API; without one it refuses everyone")
      ->envname("PARLEY_API_KEY")
      ->type_name("KEY");
}

// What `serve` would read.
void add_check(CLI::App& app, CheckCommand& check) {
  app.add_option("FILE", check.source.file, "Configuration file, YAML or JSON")
      ->required()
      ->type_name("");
  add_set(app, check.source);
  add_api_key(app, check.source);
}

void add_serve(CLI::App& app, ServeCommand& serve) {
  add_configuration(app, serve.source);
  add_serve_options(app, serve.source);
  add_api_key(app, serve.source);
  app.add_option("--api-key-file", serve.api_key_file,
                 "File that holds the key, so that no list of processes shows it")
      ->type_name("FILE")
      ->excludes("--api-key");
}

void add_token(CLI::App& app, TokenCommand& token) {
  add_configuration(app, token.source);
  app.add_option("--user,-u", token.user, "The user's id; \"\" is the anonymous user")
      ->type_name("ID");
  app.add_option("--channel,-s", token.channel, "For a subscription to this channel")
      ->type_name("CHANNEL");
  app.add_option("--ttl,-t", token.ttl, "Seconds until it expires; 0: never [a week]")
      ->type_name("SECONDS")
      ->default_val(7 * 24 * 3600)
      ->check(CLI::NonNegativeNumber);
}

void add_url(CLI::App& app, std::string& url) {
  url = kDefaultUrl;
  app.add_option("--url", url, "The server's address")
      ->envname("PARLEY_URL")
      ->check(check_url)
      ->capture_default_str();
}

void add_publish(CLI::App& app, Raw& raw) {
  app.add_option("CHANNEL", raw.publish.channel, "The channel to publish to")
      ->required()
      ->check(check_channel)
      ->type_name("");
  app.add_option("DATA", raw.publish.data, "The message; - reads it from stdin")
      ->required()
      ->type_name("");
  auto* json = app.add_flag("--json", raw.json, "DATA is JSON, and an error if it is not");
  auto* text = app.add_flag("--text", raw.text, "DATA is text, whatever it looks like");
  auto* binary = app.add_flag("--binary", raw.binary, "DATA is bytes, taken exactly as they are");
  json->excludes(text)->excludes(binary);
  text->excludes(binary);
  app.add_option("--event", raw.publish.event, "Event name of the message")->type_name("NAME");
  app.add_option("--key", raw.publish.idempotency_key,
                 "Idempotency key: publishing again with it changes nothing")
      ->type_name("KEY");
  add_url(app, raw.publish.url);
}

void add_subscribe(CLI::App& app, Raw& raw) {
  app.add_option("CHANNEL", raw.subscribe.channels, "The channels to follow")
      ->required()
      ->check(check_channel)
      ->type_name("");
  app.add_option("--since", raw.subscribe.since,
                 "Begin behind the message with this id (one channel only)")
      ->type_name("ID");
  app.add_option("--count", raw.subscribe.count, "End after so many messages")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_flag("--verbose,-v", raw.subscribe.verbose,
               "Print channel, id and event name before the data");
  app.add_flag("--no-reconnect", raw.once, "End, with status 1, when the connection is lost");
  add_url(app, raw.subscribe.url);
}

DataKind kind_of(const Raw& raw) {
  if (raw.json) return DataKind::kJson;
  if (raw.text) return DataKind::kText;
  return raw.binary ? DataKind::kBinary : DataKind::kDetect;
}

std::string without_last_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// CLI11 takes "[a,b]" for a list of values and drops the brackets, so that the name is not to be
// had.
bool came_as_given(const std::vector<std::string>& channels, int argc, const char* const* argv) {
  return std::ranges::all_of(channels, [&](const std::string& channel) {
    return std::find(argv, argv + argc, channel) != argv + argc;
  });
}

EarlyExit usage_error(const std::string& what, const std::string& command) {
  return {kExitUsage, "", "parley: " + what + "\nparley " + command + "--help tells more.\n"};
}

}  // namespace

std::expected<Command, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  Raw raw;
  CLI::App app(kAbout, "parley");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.set_help_flag("--help,-h", "Print this help and exit");
  app.get_formatter()->column_width(28);
  auto* dev = app.add_subcommand("dev", kAboutDev)->footer(kDevExamples);
  auto* serve = app.add_subcommand("serve", kAboutServe)->footer(kServeExamples);
  auto* check = app.add_subcommand("check", kAboutCheck)->footer(kCheckExamples);
  auto* token = app.add_subcommand("token", kAboutToken)->footer(kTokenExamples);
  auto* pub = app.add_subcommand("pub", kAboutPub)->footer(kPubExamples);
  auto* sub = app.add_subcommand("sub", kAboutSub)->footer(kSubExamples);
  auto* version = app.add_subcommand("version", "Print the version.");
  add_serve_options(*dev, raw.dev.source);
  dev->add_flag(
      "--echo", raw.dev.echo,
      "Also serve a WebSocket at /echo that sends back what it gets, for conformance suites");
  add_serve(*serve, raw.serve);
  add_check(*check, raw.check);
  add_token(*token, raw.token);
  add_publish(*pub, raw);
  add_subscribe(*sub, raw);
  version->add_flag("--json", raw.version.json, "As JSON");

  std::string chosen;
  const auto note_chosen = [&] {
    for (const CLI::App* one : app.get_subcommands()) chosen = one->get_name() + " ";
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::ostringstream out;
    app.exit(asked, out, out);
    return std::unexpected(EarlyExit{kExitOk, out.str(), ""});
  } catch (const CLI::ParseError& error) {
    note_chosen();
    return std::unexpected(usage_error(error.what(), chosen));
  }
  if (!came_as_given(raw.subscribe.channels, argc, argv))
    return std::unexpected(
        usage_error("sub cannot follow a channel whose name is in square brackets", "sub "));
  if (sub->parsed() && !raw.subscribe.since.empty() && raw.subscribe.channels.size() > 1)
    return std::unexpected(
        usage_error("an id belongs to one channel, so --since wants just one", "sub "));
  if (dev->parsed()) return raw.dev;
  if (serve->parsed()) return raw.serve;
  if (check->parsed()) return raw.check;
  if (token->parsed()) return raw.token;
  raw.publish.kind = kind_of(raw);
  raw.publish.url = without_last_slash(raw.publish.url);
  if (pub->parsed()) return raw.publish;
  raw.subscribe.reconnect = !raw.once;
  raw.subscribe.url = without_last_slash(raw.subscribe.url);
  if (sub->parsed()) return raw.subscribe;
  return raw.version;
}

}  // namespace parley::cli
