#include "config/document.h"

#include <algorithm>

#include <fmt/format.h>

namespace parley::config {
namespace {

std::string_view first_line_of_interest(ByteView text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    line.remove_prefix(begin);
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    return line;
  }
  return {};
}

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

// "[section]" or "key = value".
bool looks_like_toml(ByteView text) {
  std::string_view line = first_line_of_interest(text);
  if (line.starts_with('[') && line.ends_with(']'))
    return is_bare_key(line.substr(line.starts_with("[[") ? 2 : 1,
                                   line.find(']') - (line.starts_with("[[") ? 2 : 1)));
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  line = line.substr(0, equals);
  while (line.ends_with(' ')) line.remove_suffix(1);
  return is_bare_key(line);
}

}  // namespace

std::string_view kind_name(DocumentNode::Kind kind) {
  switch (kind) {
    case DocumentNode::Kind::kNull:
      return "nothing";
    case DocumentNode::Kind::kBool:
      return "true or false";
    case DocumentNode::Kind::kInt:
      return "a number";
    case DocumentNode::Kind::kFloat:
      return "a number with a fraction";
    case DocumentNode::Kind::kString:
      return "a string";
    case DocumentNode::Kind::kList:
      return "a list";
    case DocumentNode::Kind::kMap:
      return "a map";
  }
  return {};
}

Parsed read_document(const std::string& name, ByteView text, const DocumentLimits& limits) {
  const bool json = name.ends_with(".json");
  const bool yaml = name.ends_with(".yaml") || name.ends_with(".yml");
  if (name.ends_with(".toml") || (!json && looks_like_toml(text)))
    return std::unexpected(std::vector{
        Problem{{name, {1, 1}}, {}, "TOML is not read; write the same options as YAML or JSON"}});
  if (json || (!yaml && first_line_of_interest(text).starts_with('{')))
    return read_json(name, text, limits);
  return read_yaml(name, text, limits);
}

}  // namespace parley::config
