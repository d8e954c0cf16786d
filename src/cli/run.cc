#include "cli/run.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/bench_command.h"
#include "cli/command_line.h"
#include "cli/configuration.h"
#include "cli/publish_command.h"
#include "cli/serve_command.h"
#include "cli/subscribe_command.h"
#include "cli/token_command.h"
#include "cli/version.h"

namespace parley::cli {
namespace {

struct Runner {
  int operator()(const VersionCommand& command) const {
    fmt::print("{}\n", command.json ? version_json() : version_text());
    return kExitOk;
  }
  int operator()(const CompletionCommand& command) const {
    fmt::print("{}", command.script);
    return kExitOk;
  }
  int operator()(const ServeCommand& command) const { return run_serve(command); }
  int operator()(const CheckCommand& command) const { return run_check(command); }
  int operator()(const TokenCommand& command) const { return run_token(command); }
  int operator()(const PublishCommand& command) const { return run_publish(command); }
  int operator()(const BenchCommand& command) const { return run_bench(command); }
  int operator()(const SubscribeCommand& command) const { return run_subscribe(command); }
};

}  // namespace

int run(int argc, const char* const* argv) {
  const auto command = parse_command_line(argc, argv);
  if (!command) {
    std::fputs(command.error().out.c_str(), stdout);
    std::fputs(command.error().err.c_str(), stderr);
    return command.error().code;
  }
  return std::visit(Runner{}, *command);
}

}  // namespace parley::cli
