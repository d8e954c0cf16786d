#include "http/origin_policy.h"

#include <algorithm>

#include "base/glob.h"
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

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A scheme and a host, perhaps with a port (RFC 6454 6.1), as browsers write it. Nothing else may
// meet a pattern: in "https://evil.com/.example.com" its '*' would stand for a host and a path.
bool is_well_formed(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme != origin.npos && codec::http1::is_authority(origin.substr(scheme + 3));
}

bool is_same_host(std::string_view origin, std::string_view host) {
  return std::ranges::any_of(kSchemes, [&](const Scheme& scheme) {
    if (!equals_ignoring_case(origin.substr(0, scheme.prefix.size()), scheme.prefix)) return false;
    const auto page = without(origin.substr(scheme.prefix.size()), scheme.default_port);
    return !page.empty() && equals_ignoring_case(page, without(host, scheme.default_port));
  });
}

// `authority` is a host with or without a port.
bool is_loopback(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1) == "[::1]";
  const std::string_view host = authority.substr(0, authority.find(':'));
  if (equals_ignoring_case(host, "localhost")) return true;
  // Only an address may begin with digits: 127.0.0.1.evil.com is a name.
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_loopback_origin(std::string_view origin) {
  return std::ranges::any_of(kSchemes, [&](const Scheme& scheme) {
    return equals_ignoring_case(origin.substr(0, scheme.prefix.size()), scheme.prefix) &&
           is_loopback(origin.substr(scheme.prefix.size()));
  });
}

}  // namespace

bool is_from_this_machine(const codec::http1::Request& request) {
  return std::ranges::all_of(request.headers, [](const codec::http1::Header& header) {
    if (equals_ignoring_case(header.name, "Host")) return is_loopback(header.value);
    return !equals_ignoring_case(header.name, "Origin") || is_loopback_origin(header.value);
  });
}

OriginPolicy::OriginPolicy(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {
  for (std::string& origin : allowed_) origin = to_lower(origin);
}

bool OriginPolicy::allows(std::string_view origin, std::string_view host) const {
  if (origin.empty()) return true;
  const bool well_formed = is_well_formed(origin);
  if (well_formed && is_same_host(origin, host)) return true;
  const std::string page = to_lower(origin);
  return std::ranges::any_of(allowed_, [&](const std::string& allowed) {
    return allowed == "*" || (well_formed && !allowed.empty() && glob_match(allowed, page));
  });
}

}  // namespace parley::http
