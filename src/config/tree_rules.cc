#include "config/tree_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace parley::config {
namespace {

// The first byte that no text has: a control character, or what is not UTF-8.
size_t first_bad_byte(ByteView text) {
  Utf8Stream utf8;
  for (size_t n = 0; n < text.size(); ++n) {
    const auto c = static_cast<unsigned char>(text[n]);
    if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return n;
    if (!utf8.feed(text.substr(n, 1))) return n;
  }
  return utf8.complete() ? ByteView::npos : text.size();
}

std::string child(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

void check_keys_below(const std::string& name, const DocumentNode& node, const std::string& path,
                      Report& report) {
  std::vector<const Member*> sorted;
  sorted.reserve(node.members.size());
  for (const Member& member : node.members) sorted.push_back(&member);
  std::ranges::stable_sort(sorted, {}, &Member::key);
  for (size_t n = 1; n < sorted.size(); ++n)
    if (sorted[n]->key == sorted[n - 1]->key)
      report.add(
          {name, sorted[n]->at}, child(path, sorted[n]->key),
          fmt::format("stands here twice, first in line {}; keep one", sorted[n - 1]->at.line));
  for (const Member& member : node.members)
    check_keys_below(name, member.value, child(path, member.key), report);
  for (size_t n = 0; n < node.items.size(); ++n)
    check_keys_below(name, node.items[n], fmt::format("{}[{}]", path, n), report);
}

}  // namespace

Position position_of(ByteView text, size_t offset) {
  const ByteView before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<uint32_t>(std::ranges::count(before, '\n') + 1),
          static_cast<uint32_t>(before.size() - line_start + 1)};
}

std::vector<Problem> check_text(const std::string& name, ByteView text,
                                const DocumentLimits& limits) {
  if (text.size() > limits.bytes)
    return {
        {{name, {}}, {}, fmt::format("has {} bytes; {} are allowed", text.size(), limits.bytes)}};
  const size_t bad = first_bad_byte(text);
  if (bad == ByteView::npos) return {};
  const auto* what = bad < text.size() && static_cast<unsigned char>(text[bad]) < 0x20
                         ? "a control character; remove it"
                         : "this is not UTF-8; save the file as UTF-8";
  return {{{name, position_of(text, bad)}, {}, what}};
}

void check_keys(const std::string& name, const DocumentNode& root, Report& report) {
  check_keys_below(name, root, {}, report);
}

}  // namespace parley::config
