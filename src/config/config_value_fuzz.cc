// Values as the environment and flags hold them, and variables of any name.
#include <cstdlib>

#include "config/load.h"
#include "config/value.h"

namespace {

using namespace parley;
using namespace parley::config;

void require(bool condition) {
  if (!condition) std::abort();
}

// What is written again is read as the same.
void values(std::string_view text) {
  for (const Type type :
       {Type::kBool, Type::kInt, Type::kString, Type::kDuration, Type::kStrings}) {
    const auto value = parse_value(type, text);
    if (!value) {
      require(!value.error().empty());
      continue;
    }
    const auto again = parse_value(type, value_text(*value));
    require(again && *again == *value);
  }
  if (const auto duration = parse_duration(text)) require(duration->count() >= 0);
}

// Few variables: an unknown one is compared with every option.
void environment(std::string_view text) {
  if (text.find('=') == text.npos) return;
  Sources sources;
  for (int count = 0; count < 2 && !text.empty(); ++count) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t equals = std::min(line.find('='), line.size());
    const char* prefix = count % 2 == 0 ? "PARLEY_" : "CENTRIFUGO_";
    sources.environment[prefix + std::string(line.substr(0, equals))] =
        line.substr(std::min(equals + 1, line.size()));
  }
  const auto loaded = load(sources);
  if (loaded) return;
  require(!loaded.error().empty() && loaded.error().size() <= kMaxProblems + 1);
  for (const Problem& problem : loaded.error()) require(!problem.text().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  values(text);
  environment(text);
  return 0;
}
