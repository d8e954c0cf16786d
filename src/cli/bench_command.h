// `parley bench`: loads a server and prints what came of it.
#pragma once

#include <string>

#include "bench/report.h"
#include "cli/commands.h"

namespace parley::cli {

// For people, some lines.
std::string bench_text(const bench::Report& report);
// ... and with --json, one object.
std::string bench_json(const bench::Report& report);

// The exit status.
int run_bench(const BenchCommand& command);

}  // namespace parley::cli
