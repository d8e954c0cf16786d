#include "auth/capabilities.h"

#include <algorithm>
#include <utility>

#include <re2/re2.h>

#include "base/glob.h"

namespace parley::auth {

std::optional<Capabilities::Ptr> Capabilities::build(std::vector<CapabilityRule> rules,
                                                     RegexPool& pool) {
  if (rules.empty()) return Ptr();
  auto built = std::make_shared<Capabilities>();
  for (CapabilityRule& said : rules) {
    Rule& rule = built->rules_.emplace_back();
    rule.said = std::move(said);
    if (rule.said.match != ChannelMatch::kRegex) continue;
    for (const std::string& text : rule.said.channels) {
      auto regex = pool.find(text);
      if (!regex) return std::nullopt;
      rule.regexes.push_back(std::move(regex));
    }
  }
  return Ptr(std::move(built));
}

CapabilitySet Capabilities::of(std::string_view channel) const {
  const auto first =
      std::ranges::find_if(rules_, [channel](const Rule& rule) { return matches(rule, channel); });
  return first == rules_.end() ? CapabilitySet() : first->said.allow;
}

bool Capabilities::matches(const Rule& rule, std::string_view channel) {
  const auto any = [](const auto& patterns, auto fits) {
    return std::ranges::any_of(patterns, fits);
  };
  switch (rule.said.match) {
    case ChannelMatch::kExact:
      return any(rule.said.channels, [&](const std::string& name) { return name == channel; });
    case ChannelMatch::kWildcard:
      return any(rule.said.channels,
                 [&](const std::string& pattern) { return glob_match(pattern, channel); });
    case ChannelMatch::kRegex:
      break;
  }
  // Of the whole name: an expression that is found somewhere in it says more than its author meant.
  return any(rule.regexes, [&](const std::shared_ptr<const re2::RE2>& regex) {
    return re2::RE2::FullMatch(re2::StringPiece(channel.data(), channel.size()), *regex);
  });
}

}  // namespace parley::auth
