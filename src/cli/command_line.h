// Arguments in, a command out.
#pragma once

#include <expected>
#include <string>

#include "cli/commands.h"

namespace parley::cli {

// What to print instead of running a command: help, the version, or what is wrong.
struct EarlyExit {
  int code = kExitOk;
  std::string out;
  std::string err;
};

// Reads no files; the environment only for PARLEY_URL and PARLEY_API_KEY.
std::expected<Command, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace parley::cli
