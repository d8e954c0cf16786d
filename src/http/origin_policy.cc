#include "http/origin_policy.h"

#include <algorithm>

#include "codec/http1/syntax.h"

namespace parley::http {
namespace {

using codec::http1::equals_ignoring_case;

struct Scheme {
  std::string_view prefix;
  std::string_view default_port;
};
constexpr Scheme kSchemes[] = {{"http://", ":80"}, {"https://", ":443"}};

// Proxies and browsers differ in whether they name the default port.
std::string_view without(std::string_view text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return text;
}

bool is_same_host(std::string_view origin, std::string_view host) {
  return std::ranges::any_of(kSchemes, [&](const Scheme& scheme) {
    if (!equals_ignoring_case(origin.substr(0, scheme.prefix.size()), scheme.prefix)) return false;
    const auto page = without(origin.substr(scheme.prefix.size()), scheme.default_port);
    return !page.empty() && equals_ignoring_case(page, without(host, scheme.default_port));
  });
}

}  // namespace

bool OriginPolicy::allows(std::string_view origin, std::string_view host) const {
  if (origin.empty() || is_same_host(origin, host)) return true;
  return std::ranges::any_of(allowed_, [&](const std::string& allowed) {
    return allowed == "*" || equals_ignoring_case(allowed, origin);
  });
}

}  // namespace parley::http
