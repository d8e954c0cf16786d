// What a token allows in which channels, besides what their namespaces do. Why so:
// docs/adr/0018-capabilities-and-tickets.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability_set.h"
#include "auth/regex_pool.h"

namespace parley::auth {

enum class ChannelMatch : uint8_t { kExact, kWildcard, kRegex };

// One object of a `caps` claim.
struct CapabilityRule {
  ChannelMatch match = ChannelMatch::kExact;
  std::vector<std::string> channels;  // names, or patterns for the whole of a name
  CapabilitySet allow;
};

// Of the `caps` of one token. Above: the token is invalid.
struct CapabilityLimits {
  size_t rules = 32;
  size_t patterns = 100;  // names and patterns of all rules together
  size_t pattern_bytes = 255;
  size_t regexes = 8;
};

// What: the `caps` of one token, made ready. Owner: shared by who shows the token; immutable.
// Shard: any. Failure: build() refuses what could not be meant. Source: Centrifugo PRO, channel
// capabilities.
class Capabilities {
 public:
  using Ptr = std::shared_ptr<const Capabilities>;

  // A null pointer for no rules, which allow nothing; nullopt for a regular expression that is
  // none.
  static std::optional<Ptr> build(std::vector<CapabilityRule> rules, RegexPool& pool);

  // What the first rule that matches allows; the rules behind it do not count.
  CapabilitySet of(std::string_view channel) const;

 private:
  struct Rule {
    CapabilityRule said;
    std::vector<std::shared_ptr<const re2::RE2>> regexes;  // kRegex: the channels, compiled
  };
  static bool matches(const Rule& rule, std::string_view channel);

  std::vector<Rule> rules_;
};

}  // namespace parley::auth
