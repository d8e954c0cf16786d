#include "cli/command_line.h"

#include <algorithm>
#include <map>
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
  parley serve --listen 0.0.0.0:8000 --log-format json
  PARLEY_API_KEY=... parley serve        the key of the server API, kept out of the process list
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
  ServeCommand dev;
  ServeCommand serve;
  PublishCommand publish;
  SubscribeCommand subscribe;
  std::string dev_listen = kDefaultListen;
  std::string serve_listen = kDefaultListen;
  bool json = false;
  bool text = false;
  bool binary = false;
  bool once = false;
};

// "HOST:PORT" or "[V6]:PORT"; false when it is neither.
bool parse_listen(const std::string& text, server::ServerOptions& options) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') != host.ends_with(']')) return false;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return false;
  }
  if (host.empty() || !parse_uint(text.substr(colon + 1), options.listen_port)) return false;
  options.listen_host = host;
  return true;
}

std::string check_listen(const std::string& text) {
  server::ServerOptions ignored;
  if (parse_listen(text, ignored)) return {};
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

void add_serve_options(CLI::App& app, std::string& listen, server::ServerOptions& options) {
  app.add_option("--listen", listen, "Address to listen on, as HOST:PORT; port 0 takes a free one")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--shards", options.shards, "Threads that serve clients [one per core]")
      ->check(CLI::Range(1u, 64u));
  app.add_option("--log-level", options.log_level, "debug, info, warn or error [info]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, log::Level>{
                                              {"debug", log::Level::kDebug},
                                              {"info", log::Level::kInfo},
                                              {"warn", log::Level::kWarn},
                                              {"error", log::Level::kError},
                                          })
                      .description(""))
      ->type_name("LEVEL");
  app.add_option("--log-format", options.log_format, "console or json [console]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, log::Format>{
                                              {"console", log::Format::kConsole},
                                              {"json", log::Format::kJson},
                                          })
                      .description(""))
      ->type_name("FORMAT");
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

// `listen` has passed check_listen().
Command to_serve(ServeCommand command, const std::string& listen, bool dev) {
  command.options.dev = dev;
  parse_listen(listen, command.options);
  return command;
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
  auto* pub = app.add_subcommand("pub", kAboutPub)->footer(kPubExamples);
  auto* sub = app.add_subcommand("sub", kAboutSub)->footer(kSubExamples);
  auto* version = app.add_subcommand("version", "Print the version.");
  add_serve_options(*dev, raw.dev_listen, raw.dev.options);
  add_serve_options(*serve, raw.serve_listen, raw.serve.options);
  serve
      ->add_option("--api-key", raw.serve.options.api_key,
                   "Key of the server API; without one it refuses everyone")
      ->envname("PARLEY_API_KEY")
      ->type_name("KEY");
  serve
      ->add_option("--api-key-file", raw.serve.api_key_file,
                   "File that holds the key, so that no list of processes shows it")
      ->type_name("FILE")
      ->excludes("--api-key");
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
  if (dev->parsed()) return to_serve(raw.dev, raw.dev_listen, true);
  if (serve->parsed()) return to_serve(raw.serve, raw.serve_listen, false);
  raw.publish.kind = kind_of(raw);
  raw.publish.url = without_last_slash(raw.publish.url);
  if (pub->parsed()) return raw.publish;
  raw.subscribe.reconnect = !raw.once;
  raw.subscribe.url = without_last_slash(raw.subscribe.url);
  if (sub->parsed()) return raw.subscribe;
  return raw.version;
}

}  // namespace parley::cli
