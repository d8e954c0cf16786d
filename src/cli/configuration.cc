#include "cli/configuration.h"

#include <array>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

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

}  // namespace

std::expected<config::Loaded, std::string> read_configuration(const ConfigurationSource& source) {
  config::Sources sources{.flags = source.flags, .checks = {server::find_faults}};
  if (source.environment) sources.environment = environment();
  if (!source.file.empty()) {
    Result<config::File> file = config::read_file(source.file);
    if (!file) return std::unexpected(file.error().message + "\n");
    sources.files.push_back(std::move(*file));
  }
  auto loaded = config::load(sources);
  if (loaded) return std::move(*loaded);
  std::string lines;
  for (const config::Problem& problem : loaded.error()) lines += problem.text() + "\n";
  return std::unexpected(std::move(lines));
}

std::string warning_lines(const config::Loaded& loaded) {
  std::string lines;
  for (const config::Problem& warning : loaded.warnings)
    lines += "warning: " + warning.text() + "\n";
  return lines;
}

int run_check(const CheckCommand& command) {
  const auto loaded = read_configuration(command.source);
  if (!loaded) {
    fmt::print(stderr, "{}", loaded.error());
    return kExitFailed;
  }
  fmt::print(stderr, "{}", warning_lines(*loaded));
  for (const std::string& insecure : loaded->config.warnings)
    fmt::print(stderr, "insecure: {}\n", insecure);
  fmt::print("{}: ok\n", command.source.file.empty() ? "defaults" : command.source.file);
  return kExitOk;
}

}  // namespace parley::cli
