#include "cli/version.h"

#include <fmt/format.h>

#include "server/node_status.h"

namespace parley::cli {
namespace {
constexpr std::string_view kCommit = PARLEY_COMMIT;
}  // namespace

std::string version_text() {
  if (kCommit.empty()) return fmt::format("parley {}", server::version());
  return fmt::format("parley {} ({})", server::version(), kCommit);
}

std::string version_json() {
  return fmt::format(R"({{"version":"{}","commit":"{}"}})", server::version(), kCommit);
}

std::string user_agent() { return fmt::format("parley/{}", server::version()); }

}  // namespace parley::cli
