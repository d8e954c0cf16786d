// `parley sub`: channels as lines.
#pragma once

#include "cli/commands.h"

namespace parley::cli {

// Runs until --count, SIGINT, SIGTERM, or a refusal. The exit status.
int run_subscribe(const SubscribeCommand& command);

}  // namespace parley::cli
