#include "cli/serve_command.h"

namespace parley::cli {

int run_serve(const ServeCommand& command) { return server::run(command.options); }

}  // namespace parley::cli
