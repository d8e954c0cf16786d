// A configuration file as a tree of values that know their line and column.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "config/problem.h"

namespace parley::config {

struct Member;

struct DocumentNode {
  enum class Kind : uint8_t { kNull, kBool, kInt, kFloat, kString, kList, kMap };

  Kind kind = Kind::kNull;
  Position at;
  std::string text;  // of a scalar: kBool "true" or "false", numbers as written, strings decoded
  std::vector<DocumentNode> items;  // kList
  std::vector<Member> members;      // kMap, in the file's order, keys unique
};

struct Member {
  std::string key;
  Position at;  // of the key
  DocumentNode value;
};

struct DocumentLimits {
  size_t bytes = 4 << 20;
  uint32_t depth = 32;  // lists and maps inside one another, at most 64
  size_t nodes = 200'000;
};

using Parsed = std::expected<DocumentNode, std::vector<Problem>>;

// Reads YAML or JSON: by the extension of `name`, or else by looking. `name` stands in the
// problems. An empty YAML file is an empty map. TOML is refused.
Parsed read_document(const std::string& name, ByteView text, const DocumentLimits& limits = {});

// JSON (RFC 8259) without comments.
Parsed read_json(const std::string& name, ByteView text, const DocumentLimits& limits = {});

// The core of YAML 1.2: one document of maps, lists and scalars. Refused: anchors, aliases, tags,
// keys that are no scalars. `yes`, `no`, `on` and `off` are strings.
Parsed read_yaml(const std::string& name, ByteView text, const DocumentLimits& limits = {});

// "a map", "a string", ... for messages.
std::string_view kind_name(DocumentNode::Kind kind);

}  // namespace parley::config
