// The JSON reader against codec/json, and everything behind it against any document.
#include <cstdlib>

#include "codec/json/validate.h"
#include "config/load.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_places(const config::DocumentNode& node, config::Position& last) {
  require(node.at.line > 0 && node.at.column > 0 && node.at >= last);
  last = node.at;
  for (const auto& item : node.items) check_places(item, last);
  for (const auto& member : node.members) {
    require(member.at > last);
    last = member.at;
    check_places(member.value, last);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  const auto parsed = config::read_json("c.json", text);
  if (parsed) {
    require(codec::json::is_valid(text));
    config::Position last{1, 1};
    check_places(*parsed, last);
  } else {
    require(!parsed.error().empty() && parsed.error().size() <= config::kMaxProblems + 1);
  }
  config::Sources sources;
  sources.files.push_back({"c.json", std::string(text)});
  sources.environment["PARLEY_CHANNEL_NAMESPACES"] = std::string(text);
  const auto loaded = config::load(sources);
  if (!loaded)
    for (const config::Problem& problem : loaded.error()) require(!problem.text().empty());
  return 0;
}
