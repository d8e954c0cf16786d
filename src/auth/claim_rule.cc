#include "auth/claim_rule.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

namespace parley::auth {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '~';
}

// "a|b-c|d\.e": texts without any operator, none of them empty.
bool is_literal_choice(std::string_view body) {
  bool empty = true;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '|') {
      if (empty) return false;
      empty = true;
      continue;
    }
    const bool escaped =
        body[i] == '\\' && i + 1 < body.size() && (body[i + 1] == '.' || body[i + 1] == '-');
    if (escaped) ++i;
    if (!escaped && !is_plain(body[i])) return false;
    empty = false;
  }
  return !empty;
}

// Flags such as (?i) change what a literal takes.
bool has_flags(std::string_view pattern) {
  for (size_t at = pattern.find("(?"); at != pattern.npos; at = pattern.find("(?", at + 2)) {
    const std::string_view behind = pattern.substr(at + 2);
    if (!behind.starts_with("P<") && !behind.starts_with(":")) return true;
  }
  return false;
}

}  // namespace

Result<ClaimRule> ClaimRule::build(const std::string& key, std::string exact,
                                   const std::string& regex) {
  ClaimRule rule;
  if (!exact.empty() && !regex.empty())
    return fail(fmt::format("{0} and {0}_regex exclude one another: keep one", key));
  rule.exact_ = std::move(exact);
  if (regex.empty()) return rule;
  rule.regex_ = std::make_shared<const re2::RE2>(regex, re2::RE2::Quiet);
  if (!rule.regex_->ok())
    return fail(
        fmt::format("{}_regex is not a regular expression (RE2): {}", key, rule.regex_->error()));
  return rule;
}

bool ClaimRule::matches(const std::string& text, NamedValues& groups) const {
  if (!regex_) return exact_.empty() || text == exact_;
  std::vector<re2::StringPiece> taken(static_cast<size_t>(regex_->NumberOfCapturingGroups()) + 1);
  if (!regex_->Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, taken.data(),
                     static_cast<int>(taken.size())))
    return false;
  for (const auto& [index, name] : regex_->CapturingGroupNames())
    groups[name] = taken[static_cast<size_t>(index)].as_string();
  return true;
}

bool ClaimRule::has_group(const std::string& name) const {
  return regex_ && regex_->NamedCapturingGroups().contains(name);
}

bool ClaimRule::group_is_literal(const std::string& name) const {
  if (!has_group(name)) return false;
  const std::string_view pattern = regex_->pattern();
  const std::string mark = "<" + name + ">";
  const size_t at = pattern.find(mark);
  // The mark stands only once, and the group exists: so this is the group, and not text inside a
  // quotation or a character class.
  if (at == pattern.npos || at < 3 || pattern.substr(at - 3, 3) != "(?P" ||
      pattern.find(mark, at + 1) != pattern.npos || has_flags(pattern))
    return false;
  const std::string_view body = pattern.substr(at + mark.size());
  return is_literal_choice(body.substr(0, body.find(')')));
}

}  // namespace parley::auth
