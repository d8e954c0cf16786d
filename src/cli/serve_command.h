// `parley dev` and `parley serve`.
#pragma once

#include "cli/commands.h"

namespace parley::cli {

// Runs until the server is told to end. The exit status.
int run_serve(const ServeCommand& command);

}  // namespace parley::cli
