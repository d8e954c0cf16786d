// The configuration of a command: from its file, the environment and its flags.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "config/load.h"

namespace parley::cli {

// Why there is no configuration: at least one problem, each with its place.
struct ConfigurationFault {
  std::vector<config::Problem> problems;
  std::string lines() const;  // for stderr
};

// Reads everything anew at each call.
std::expected<config::Loaded, ConfigurationFault> read_configuration(
    const ConfigurationSource& source);

// `warnings` as lines for stderr.
std::string warning_lines(const config::Loaded& loaded);

// What `parley check --json` prints. One of the two is null.
std::string check_json(const std::string& file, const config::Loaded* loaded,
                       const ConfigurationFault* fault);

// `parley check`: says whether `parley serve` would start with this configuration. The exit status.
int run_check(const CheckCommand& command);

}  // namespace parley::cli
