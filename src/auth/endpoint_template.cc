#include "auth/endpoint_template.h"

#include <algorithm>

#include <fmt/format.h>

namespace parley::auth {
namespace {

bool is_unreserved(std::string_view value) {
  return !value.empty() && value != "." && value != ".." && std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
  });
}

Result<void> check_placeholder(const std::string& name, const ClaimRule& issuer,
                               const ClaimRule& audience, bool unchecked) {
  const bool in_issuer = issuer.has_group(name);
  if (in_issuer == audience.has_group(name))
    return fail(fmt::format(
        "jwks_public_endpoint: {{{{{}}}}} must be a named group of either issuer_regex or "
        "audience_regex",
        name));
  if (!unchecked && !(in_issuer ? issuer : audience).group_is_literal(name))
    return fail(fmt::format(
        "jwks_public_endpoint: the group {} may match more than a fixed set of literals, so that a "
        "forged token could choose where keys come from; write it as (?P<{}>one|two)",
        name, name));
  return {};
}

}  // namespace

Result<EndpointTemplate> EndpointTemplate::build(const std::string& text, const ClaimRule& issuer,
                                                 const ClaimRule& audience, bool unchecked) {
  if (!text.starts_with("https://") && !text.starts_with("http://"))
    return fail("jwks_public_endpoint must begin with https:// or http://");
  if (std::ranges::any_of(text, [](char c) { return c <= 0x20 || c >= 0x7f; }))
    return fail("jwks_public_endpoint must be printable ASCII without spaces");
  EndpointTemplate made;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find("{{", at);
    if (open == text.npos) {
      made.pieces_.push_back({.literal = text.substr(at)});
      break;
    }
    const size_t close = text.find("}}", open);
    if (close == text.npos) return fail("jwks_public_endpoint: a {{ without its }}");
    made.pieces_.push_back(
        {.literal = text.substr(at, open - at), .name = text.substr(open + 2, close - open - 2)});
    TRY(check_placeholder(made.pieces_.back().name, issuer, audience, unchecked));
    at = close + 2;
  }
  return made;
}

std::optional<std::string> EndpointTemplate::fill(const NamedValues& values) const {
  std::string url;
  for (const Piece& piece : pieces_) {
    url += piece.literal;
    if (piece.name.empty()) continue;
    const auto found = values.find(piece.name);
    if (found == values.end() || !is_unreserved(found->second)) return std::nullopt;
    url += found->second;
  }
  return url;
}

}  // namespace parley::auth
