#include "cli/configuration.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/json_line.h"
#include "server/policy.h"

namespace parley::cli {
namespace {

// Variables of the client commands, which are no options of the server.
constexpr std::array<std::string_view, 2> kOtherVariables{"PARLEY_URL", "PARLEY_API_KEY"};

config::Environment environment() {
  config::Environment out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    if (std::ranges::find(kOtherVariables, name) == kOtherVariables.end())
      out.emplace(name, entry.substr(equals + 1));
  }
  return out;
}

ConfigurationFault unreadable(const std::string& file, std::string why) {
  if (why.starts_with(file + " ")) why.erase(0, file.size() + 1);
  return {{{.place = {.source = file}, .path = {}, .message = why + "; is the path right?"}}};
}

nlohmann::ordered_json to_json(const std::vector<config::Problem>& problems) {
  auto list = nlohmann::ordered_json::array();
  for (const config::Problem& problem : problems)
    list.push_back({{"source", problem.place.source},
                    {"line", problem.place.at.line},
                    {"column", problem.place.at.column},
                    {"option", problem.path},
                    {"message", problem.message}});
  return list;
}

}  // namespace

std::string ConfigurationFault::lines() const {
  std::string lines;
  for (const config::Problem& problem : problems) lines += problem.text() + "\n";
  return lines;
}

std::expected<config::Loaded, ConfigurationFault> read_configuration(
    const ConfigurationSource& source) {
  config::Sources sources{.flags = source.flags, .checks = {server::find_faults}};
  if (source.environment) sources.environment = environment();
  if (!source.file.empty()) {
    Result<config::File> file = config::read_file(source.file);
    if (!file) return std::unexpected(unreadable(source.file, file.error().message));
    sources.files.push_back(std::move(*file));
  }
  auto loaded = config::load(sources);
  if (loaded) return std::move(*loaded);
  return std::unexpected(ConfigurationFault{std::move(loaded.error())});
}

std::string warning_lines(const config::Loaded& loaded) {
  std::string lines;
  for (const config::Problem& warning : loaded.warnings)
    lines += "warning: " + warning.text() + "\n";
  return lines;
}

std::string check_json(const std::string& file, const config::Loaded* loaded,
                       const ConfigurationFault* fault) {
  nlohmann::ordered_json object{{"ok", loaded != nullptr}, {"file", file}};
  object["problems"] = fault != nullptr ? to_json(fault->problems) : to_json({});
  object["warnings"] = loaded != nullptr ? to_json(loaded->warnings) : to_json({});
  object["insecure"] = loaded != nullptr ? nlohmann::ordered_json(loaded->config.warnings)
                                         : nlohmann::ordered_json::array();
  return json_line(object);
}

int run_check(const CheckCommand& command) {
  const std::string& file = command.source.file;
  const auto loaded = read_configuration(command.source);
  if (command.json) {
    fmt::print("{}\n",
               check_json(file, loaded ? &*loaded : nullptr, loaded ? nullptr : &loaded.error()));
    return loaded ? kExitOk : kExitFailed;
  }
  if (!loaded) {
    fmt::print(stderr, "{}", loaded.error().lines());
    return kExitFailed;
  }
  fmt::print(stderr, "{}", warning_lines(*loaded));
  for (const std::string& insecure : loaded->config.warnings)
    fmt::print(stderr, "insecure: {}\n", insecure);
  fmt::print("{}: ok\n", file);
  return kExitOk;
}

}  // namespace parley::cli
