#include "cli/version.h"

#include <fmt/format.h>

namespace parley::cli {
namespace {
constexpr std::string_view kVersion = PARLEY_VERSION;
constexpr std::string_view kCommit = PARLEY_COMMIT;
}  // namespace

std::string version_text() {
  if (kCommit.empty()) return fmt::format("parley {}", kVersion);
  return fmt::format("parley {} ({})", kVersion, kCommit);
}

std::string version_json() {
  return fmt::format(R"({{"version":"{}","commit":"{}"}})", kVersion, kCommit);
}

std::string user_agent() { return fmt::format("parley/{}", kVersion); }

}  // namespace parley::cli
