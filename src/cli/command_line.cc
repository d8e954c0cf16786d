#include "cli/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

#include "base/bytes.h"
#include "cli/completion.h"
#include "cli/help_texts.h"
#include "cli/version.h"
#include "config/nearest.h"

namespace parley::cli {
namespace {

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
  bench::Wishes wishes;
  BenchCommand bench;
  std::string shell;
  bool as_json = false;
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

// What of a set of words is allowed; help and completion read them off the type's name.
CLI::Option* one_of(CLI::Option* option, const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : "|") + word;
  return option->type_name(all)->check([words, all](const std::string& text) {
    return std::ranges::find(words, text) != words.end() ? ""
                                                         : "\"" + text + "\" is none of " + all;
  });
}

CLI::Option* whole_number(CLI::Option* option, uint64_t from, uint64_t to,
                          const std::string& range) {
  return option->check([=](const std::string& text) {
    uint64_t number = 0;
    const bool good = parse_uint(text, number) && number >= from && number <= to;
    return good ? "" : "\"" + text + "\" is not a whole number " + range;
  });
}

// An option that is short for an option of the configuration.
CLI::Option* add_setting(CLI::App& app, const std::string& flag, const std::string& path,
                         ConfigurationSource& source, const std::string& what) {
  return app.add_option_function<std::string>(
      flag, [path, &source](const std::string& value) { source.flags.emplace_back(path, value); },
      what);
}

void add_serve_options(CLI::App& app, ConfigurationSource& source, const std::string& listens) {
  app.add_option_function<std::string>(
         "--listen",
         [&source](const std::string& text) {
           const auto at = parse_listen(text);
           if (!at) return;
           source.flags.emplace_back("http_server.address", at->host);
           source.flags.emplace_back("http_server.port", std::to_string(at->port));
         },
         "Address to listen on, as HOST:PORT; port 0 takes a free one [" + listens + "]")
      ->check(check_listen)
      ->type_name("HOST:PORT");
  whole_number(
      add_setting(app, "--shards", "shards", source, "Threads that serve clients [one per core]"),
      1, 64, "from 1 to 64")
      ->type_name("N");
  one_of(add_setting(app, "--log-level", "log.level", source, "What is logged [info]"),
         {"debug", "info", "warn", "error"});
  one_of(add_setting(app, "--log-format", "log.format", source, "How it is logged [console]"),
         {"console", "json"});
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
  app.add_flag("--json", check.json, "Print what was found as JSON");
}

void add_serve(CLI::App& app, ServeCommand& serve) {
  add_configuration(app, serve.source);
  add_serve_options(app, serve.source,
                    "127.0.0.1:8000; with --config what it says, else every address");
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
  constexpr int64_t kWeek = 7 * 24 * 3600;
  whole_number(app.add_option("--ttl,-t", token.ttl, "Seconds until it expires; 0: never [a week]"),
               0, uint64_t{INT32_MAX}, "of seconds, 0 or more")
      ->type_name("SECONDS")
      ->default_val(kWeek);
  app.add_flag("--json", token.json, "Print the token with what it says, as JSON");
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
  auto* json = app.add_flag("--as-json", raw.as_json, "DATA is JSON, and an error if it is not");
  auto* text = app.add_flag("--text", raw.text, "DATA is text, whatever it looks like");
  auto* binary = app.add_flag("--binary", raw.binary, "DATA is bytes, taken exactly as they are");
  json->excludes(text)->excludes(binary);
  text->excludes(binary);
  app.add_option("--event", raw.publish.event, "Event name of the message")->type_name("NAME");
  app.add_option("--key", raw.publish.idempotency_key,
                 "Idempotency key: publishing again with it changes nothing")
      ->type_name("KEY");
  app.add_flag("--json", raw.publish.json, "Print the position as JSON");
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
  whole_number(app.add_option("--count", raw.subscribe.count, "End after so many messages"), 1,
               UINT64_MAX, "above 0")
      ->type_name("N");
  auto* verbose = app.add_flag("--verbose,-v", raw.subscribe.verbose,
                               "Print channel, id and event name before the data");
  app.add_flag("--json", raw.subscribe.json, "Print messages and gaps as JSON")->excludes(verbose);
  app.add_flag("--no-reconnect", raw.once, "End, with status 1, when the connection is lost");
  add_url(app, raw.subscribe.url);
}

// A number of something, from 1 on.
template <class Number>
void add_number(CLI::App& app, const std::string& flag, Number& number, const std::string& what) {
  whole_number(app.add_option(flag, number, what), 1, UINT32_MAX, "from 1 on")->type_name("N");
}

std::string check_positive(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool good = !text.empty() && *end == '\0' && number > 0 && number <= 1e9;
  return good ? "" : "\"" + text + "\" is not a number above 0";
}

// Goes into JSON, addresses and subjects of NATS as it is.
std::string check_prefix(const std::string& text) {
  const bool good = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == ':' || c == '.';
  });
  return good ? "" : "\"" + text + "\" has more than letters, digits and -_:.";
}

void add_load(CLI::App& app, bench::Wishes& wishes) {
  add_number(app, "--subscribers", wishes.subscribers, "Subscribers of each channel");
  add_number(app, "--channels", wishes.channels, "Channels");
  add_number(app, "--connections", wishes.connections, "Connections, where all do the same");
  add_number(app, "--publishers", wishes.publishers, "Connections that publish [1]");
  add_number(app, "--slow", wishes.slow, "Subscribers besides that never read [10]");
  app.add_option("--rate", wishes.rate, "Messages a second, over all channels")
      ->check(check_positive)
      ->type_name("N");
  add_number(app, "--window", wishes.window,
             "Messages in flight instead of a rate; echo: of each connection");
  add_number(app, "--batch", wishes.batch, "Messages in one request of the server API [1]");
  add_number(app, "--payload", wishes.payload_bytes, "Bytes of a message [128]");
  app.add_option("--seconds", wishes.seconds, "How long it is measured [2; idle: 30]")
      ->check(check_positive)
      ->type_name("S");
  app.add_option("--warm", wishes.warm, "How long it runs before that, not measured [0.5]")
      ->check(check_positive)
      ->type_name("S");
  whole_number(app.add_option("--count", wishes.count, "End after so many messages, or --seconds"),
               1, UINT32_MAX, "above 0")
      ->type_name("N");
  add_number(app, "--at-once", wishes.at_once, "Connections that are being made at a time [128]");
  app.add_flag("--spin", wishes.spin,
               "Never sleep: a server on this machine need not wake the load");
}

void add_bench(CLI::App& app, Raw& raw) {
  bench::Wishes& wishes = raw.wishes;
  one_of(app.add_option("SCENARIO", wishes.scenario, "What to load the server with"),
         bench::scenario_names())
      ->required();
  add_load(app, wishes);
  one_of(app.add_option("--protocol", wishes.protocol, "What is spoken [the first]"),
         bench::protocol_names());
  whole_number(app.add_option("--pid", wishes.pid, "The server's process, to tell what it used"), 1,
               INT32_MAX, "above 0")
      ->type_name("PID");
  app.add_option("--prefix", wishes.prefix, "How the channels' names begin [bench]")
      ->check(check_prefix)
      ->type_name("NAME");
  app.add_option("--token", wishes.token, "Token of the connections")->type_name("TOKEN");
  app.add_option("--api-key", wishes.api_key, "Key of the server API")
      ->envname("PARLEY_API_KEY")
      ->type_name("KEY");
  app.add_flag("--json", raw.bench.json, "Print the figures as JSON");
  wishes.url = kDefaultUrl;
  app.add_option("--url", wishes.url, "The server's address; no TLS")
      ->envname("PARLEY_URL")
      ->capture_default_str();
}

DataKind kind_of(const Raw& raw) {
  if (raw.as_json) return DataKind::kJson;
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
  const std::string help = command.empty() ? "parley" : "parley " + command;
  return {kExitUsage, "", "parley: " + what + "\n" + help + " --help tells more.\n"};
}

// "; did you mean x or y?", or nothing.
std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  std::vector<std::string> near = config::nearest(name, known);
  // Who writes the whole word means its short form.
  if (near.empty())
    std::ranges::copy_if(known, std::back_inserter(near),
                         [&](const std::string& one) { return name.starts_with(one); });
  std::string text;
  for (const std::string& one : near) text += (text.empty() ? "; did you mean " : " or ") + one;
  return text.empty() ? "" : text + "?";
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

OptionRow to_row(const CLI::Option& option) {
  OptionRow row{.names = names_of(option), .what = option.get_description()};
  const std::string type = option.get_type_name();
  if (type.find('|') != std::string::npos) {
    row.takes = Takes::kOneOf;
    for (size_t at = 0; at <= type.size();) {
      const size_t end = std::min(type.find('|', at), type.size());
      row.choices.push_back(type.substr(at, end - at));
      at = end + 1;
    }
  } else if (type == "FILE" || option.get_name() == "FILE") {
    row.takes = Takes::kFile;
  } else if (option.get_items_expected_max() > 0) {
    row.takes = Takes::kAnything;
  }
  return row;
}

std::vector<CommandRow> to_rows(CLI::App& app) {
  std::vector<CommandRow> rows;
  for (const CLI::App* command : app.get_subcommands({})) {
    CommandRow row{.name = command->get_name(), .what = command->get_description()};
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional()) {
        row.arguments.push_back(to_row(*option));
      } else {
        row.options.push_back(to_row(*option));
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// What CLI11 says of arguments that nobody takes, in better words.
std::string explain_extras(const CommandRow& command, int argc, const char* const* argv) {
  std::vector<std::string> known;
  for (const OptionRow& option : command.options)
    known.insert(known.end(), option.names.begin(), option.names.end());
  for (int i = 2; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string name = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
    if (name.size() < 2 || !name.starts_with('-') || std::ranges::find(known, name) != known.end())
      continue;
    return "parley " + command.name + " has no option " + name + suggestion(name, known) +
           " (what is no option but begins with a dash comes behind --)";
  }
  return "more arguments than parley " + command.name + " takes: " + argv[argc - 1] +
         " is left over; quote for the shell what has blanks in it";
}

// What is wrong before any option is looked at.
std::optional<EarlyExit> check_command(const std::vector<CommandRow>& rows, int argc,
                                       const char* const* argv) {
  if (argc < 2) return usage_error("no command; to start a server: parley dev", "");
  const std::string name = argv[1];
  std::vector<std::string> known;
  known.reserve(rows.size());
  for (const CommandRow& row : rows) known.push_back(row.name);
  if (name.starts_with('-') || std::ranges::find(known, name) != known.end()) return std::nullopt;
  return usage_error("there is no command \"" + name + "\"" + suggestion(name, known), "");
}

std::string faulty(Raw& raw, int argc, const char* const* argv) {
  if (!raw.wishes.scenario.empty()) {
    const auto request = bench::to_request(raw.wishes);
    if (!request) return request.error().message;
    raw.bench.request = *request;
  }
  if (!came_as_given(raw.subscribe.channels, argc, argv))
    return "sub cannot follow a channel whose name is in square brackets";
  if (!raw.subscribe.since.empty() && raw.subscribe.channels.size() > 1)
    return "an id belongs to one channel, so --since wants just one";
  return {};
}

void add_commands(CLI::App& app, Raw& raw) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.set_help_flag("--help,-h", "Print this help and exit");
  app.footer(kExitStatus);
  app.get_formatter()->column_width(28);
  auto* dev = app.add_subcommand("dev", kAboutDev)->footer(kDevExamples);
  add_serve_options(*dev, raw.dev.source, "127.0.0.1:8000");
  dev->add_flag(
      "--echo", raw.dev.echo,
      "Also serve a WebSocket at /echo that sends back what it gets, for conformance suites");
  add_serve(*app.add_subcommand("serve", kAboutServe)->footer(kServeExamples), raw.serve);
  add_check(*app.add_subcommand("check", kAboutCheck)->footer(kCheckExamples), raw.check);
  add_token(*app.add_subcommand("token", kAboutToken)->footer(kTokenExamples), raw.token);
  add_publish(*app.add_subcommand("pub", kAboutPub)->footer(kPubExamples), raw);
  add_subscribe(*app.add_subcommand("sub", kAboutSub)->footer(kSubExamples), raw);
  add_bench(*app.add_subcommand("bench", kAboutBench)->footer(kBenchExamples), raw);
  app.add_subcommand("version", "Print the version.")
      ->add_flag("--json", raw.version.json, "As JSON");
  auto* completion =
      app.add_subcommand("completion", kAboutCompletion)->footer(kCompletionExamples);
  one_of(completion->add_option("SHELL", raw.shell, "The shell to print it for"), shell_names())
      ->required();
}

Command to_command(CLI::App& app, Raw& raw) {
  const std::string chosen = app.get_subcommands().front()->get_name();
  raw.publish.kind = kind_of(raw);
  raw.publish.url = without_last_slash(raw.publish.url);
  raw.subscribe.reconnect = !raw.once;
  raw.subscribe.url = without_last_slash(raw.subscribe.url);
  if (chosen == "dev") return raw.dev;
  if (chosen == "serve") return raw.serve;
  if (chosen == "check") return raw.check;
  if (chosen == "token") return raw.token;
  if (chosen == "pub") return raw.publish;
  if (chosen == "sub") return raw.subscribe;
  if (chosen == "bench") return raw.bench;
  if (chosen == "completion")
    return CompletionCommand{.script = completion_script(raw.shell, to_rows(app))};
  return raw.version;
}

}  // namespace

std::expected<Command, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  Raw raw;
  CLI::App app(kAbout, "parley");
  add_commands(app, raw);
  const std::vector<CommandRow> rows = to_rows(app);
  if (auto wrong = check_command(rows, argc, argv)) return std::unexpected(std::move(*wrong));
  const auto chosen = std::ranges::find(rows, argv[1], &CommandRow::name);
  const std::string name = chosen == rows.end() ? "" : chosen->name;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::ostringstream out;
    app.exit(asked, out, out);
    return std::unexpected(EarlyExit{kExitOk, out.str(), ""});
  } catch (const CLI::ExtrasError& error) {
    const bool known = chosen != rows.end();
    return std::unexpected(
        usage_error(known ? explain_extras(*chosen, argc, argv) : error.what(), name));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(error.what(), name));
  }
  if (const std::string what = faulty(raw, argc, argv); !what.empty())
    return std::unexpected(usage_error(what, name));
  return to_command(app, raw);
}

}  // namespace parley::cli
