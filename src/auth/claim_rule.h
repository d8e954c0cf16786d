// What a token's issuer or audience must be.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace parley::auth {

// Named groups of regular expressions and what they took.
using NamedValues = std::map<std::string, std::string, std::less<>>;

// What: one exact text, or a regular expression (RE2) for the whole of it: an expression that is
// only found somewhere in an issuer would let "https://evil.example/?https://good.example" pass.
// Owner: TokenRules; immutable. Shard: any. Failure: build() says what is wrong.
class ClaimRule {
 public:
  // `key` is the configuration key of the exact text; the expression's is KEY_regex.
  static Result<ClaimRule> build(const std::string& key, std::string exact,
                                 const std::string& regex);

  bool set() const { return regex_ != nullptr || !exact_.empty(); }
  // Adds what the named groups took to `groups`.
  bool matches(const std::string& text, NamedValues& groups) const;

  bool has_group(const std::string& name) const;
  // Whether the group can take nothing but one of the literal texts that stand in it. Says no when
  // in doubt.
  bool group_is_literal(const std::string& name) const;

 private:
  std::string exact_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace parley::auth
