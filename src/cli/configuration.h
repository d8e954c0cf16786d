// The configuration of a command: from its file, the environment and its flags.
#pragma once

#include <expected>
#include <string>

#include "cli/commands.h"
#include "config/load.h"

namespace parley::cli {

// Reads everything anew at each call. The error is a text of whole lines for stderr: all problems
// with their places.
std::expected<config::Loaded, std::string> read_configuration(const ConfigurationSource& source);

// `warnings` as lines for stderr.
std::string warning_lines(const config::Loaded& loaded);

// `parley check`: says whether `parley serve` would start with this configuration. The exit status.
int run_check(const CheckCommand& command);

}  // namespace parley::cli
