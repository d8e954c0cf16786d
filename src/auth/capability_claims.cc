#include "auth/capability_claims.h"

namespace parley::auth {
namespace {

using codec::json::Reader;

void read_match(Reader& reader, ChannelMatch& out) {
  std::string_view name;
  if (reader.null() || !reader.string(name)) return;
  if (name == "wildcard") {
    out = ChannelMatch::kWildcard;
  } else if (name == "regex") {
    out = ChannelMatch::kRegex;
  } else if (!name.empty() && name != "exact") {
    reader.fail();
  }
}

// An empty pattern would match every channel, or none: whatever was meant, it was not that.
void read_patterns(Reader& reader, const CapabilityLimits& limits, std::vector<std::string>& out) {
  if (reader.null() || !reader.array()) return;
  for (std::string_view pattern; reader.element();) {
    if (!reader.string(pattern)) return;
    if (pattern.empty() || pattern.size() > limits.pattern_bytes || out.size() >= limits.patterns) {
      reader.fail();
      return;
    }
    out.emplace_back(pattern);
  }
}

void read_rule(Reader& reader, const CapabilityLimits& limits, CapabilityRule& out) {
  if (!reader.object()) return;
  for (std::string_view key; reader.key(key);) {
    if (key == "channels") {
      read_patterns(reader, limits, out.channels);
    } else if (key == "match") {
      read_match(reader, out.match);
    } else if (key == "allow") {
      read_allowed(reader, out.allow);
    }
  }
}

}  // namespace

void read_capabilities(Reader& reader, const CapabilityLimits& limits,
                       std::vector<CapabilityRule>& out) {
  if (reader.null() || !reader.array()) return;
  size_t patterns = 0, regexes = 0;
  while (reader.element()) {
    CapabilityRule& rule = out.emplace_back();
    read_rule(reader, limits, rule);
    patterns += rule.channels.size();
    if (rule.match == ChannelMatch::kRegex) regexes += rule.channels.size();
    if (out.size() > limits.rules || patterns > limits.patterns || regexes > limits.regexes)
      reader.fail();
  }
}

void read_allowed(Reader& reader, CapabilitySet& out) {
  if (reader.null() || !reader.array()) return;
  for (std::string_view name; reader.element();)
    if (reader.string(name) && !out.add(name)) reader.fail();
}

}  // namespace parley::auth
