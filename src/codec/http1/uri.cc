#include "codec/http1/uri.h"

#include <algorithm>

#include "codec/http1/syntax.h"

namespace parley::codec::http1 {
namespace {

bool is_target_char(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

struct RawParam {
  std::string_view name;
  std::string_view value;
};

// Takes the next non-empty name=value pair off `query`.
std::optional<RawParam> next_param(std::string_view& query) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return RawParam{pair, {}};
    return RawParam{pair.substr(0, equals), pair.substr(equals + 1)};
  }
  return std::nullopt;
}

TargetParts split_path(std::string_view authority, std::string_view rest) {
  const size_t mark = rest.find('?');
  const auto path = rest.substr(0, mark);
  const auto query = mark == std::string_view::npos ? std::string_view{} : rest.substr(mark + 1);
  return {authority, path.empty() ? std::string_view("/") : path, query};
}

}  // namespace

std::expected<TargetParts, DecodeError> split_target(std::string_view method,
                                                     std::string_view target) {
  constexpr auto kBad = DecodeError::kBadTarget;
  if (target.empty() || !std::ranges::all_of(target, is_target_char)) return std::unexpected(kBad);
  if (target.front() == '/') return split_path({}, target);
  if (target == "*") {
    if (method != "OPTIONS") return std::unexpected(kBad);
    return TargetParts{{}, target, {}};
  }
  const size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return std::unexpected(kBad);
  const auto scheme = target.substr(0, scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
    return std::unexpected(kBad);
  const auto rest = target.substr(scheme_end + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (!is_authority(authority)) return std::unexpected(kBad);
  return split_path(authority, rest.substr(authority.size()));
}

std::optional<std::string> percent_decode(std::string_view segment) {
  return decode(segment, false);
}

std::optional<std::vector<QueryParam>> parse_query(std::string_view query) {
  std::vector<QueryParam> params;
  while (const auto raw = next_param(query)) {
    auto name = decode(raw->name, true);
    auto value = decode(raw->value, true);
    if (!name || !value) return std::nullopt;
    params.emplace_back(*std::move(name), *std::move(value));
  }
  return params;
}

std::optional<std::string> find_query_param(std::string_view query, std::string_view name) {
  while (const auto raw = next_param(query)) {
    if (decode(raw->name, true) == name) return decode(raw->value, true);
  }
  return std::nullopt;
}

}  // namespace parley::codec::http1
