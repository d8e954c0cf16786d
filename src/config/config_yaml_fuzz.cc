// The YAML reader, and everything behind it, against any document.
#include <cstdlib>

#include "config/load.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const config::DocumentNode& node, uint32_t depth) {
  require(depth <= config::DocumentLimits{}.depth);
  require(node.items.empty() || node.kind == config::DocumentNode::Kind::kList);
  require(node.members.empty() || node.kind == config::DocumentNode::Kind::kMap);
  for (const auto& item : node.items) check(item, depth + 1);
  for (const auto& member : node.members) check(member.value, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  const auto parsed = config::read_yaml("c.yaml", text);
  if (parsed) {
    check(*parsed, 0);
  } else {
    require(!parsed.error().empty() && parsed.error().size() <= config::kMaxProblems + 1);
  }
  config::Sources sources;
  sources.files.push_back({"c.yaml", std::string(text)});
  const auto loaded = config::load(sources);
  if (!loaded)
    for (const config::Problem& problem : loaded.error()) require(!problem.text().empty());
  return 0;
}
