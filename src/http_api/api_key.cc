#include "http_api/api_key.h"

#include <cstdint>

#include "codec/http1/syntax.h"

namespace parley::http_api {
namespace {

constexpr std::string_view kScheme = "apikey ";

std::string presented_key(const codec::http1::Request& request) {
  if (const auto key = request.header("X-API-Key"); !key.empty()) return std::string(key);
  const auto authorization = request.header("Authorization");
  if (codec::http1::equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme))
    return std::string(codec::http1::trim_whitespace(authorization.substr(kScheme.size())));
  return request.query_param("api_key").value_or("");
}

}  // namespace

bool same_secret(std::string_view expected, std::string_view given) {
  if (expected.empty()) return false;
  volatile uint8_t difference = expected.size() == given.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    const auto other = static_cast<uint8_t>(expected[i % expected.size()]);
    difference = static_cast<uint8_t>(difference | (static_cast<uint8_t>(given[i]) ^ other));
  }
  return difference == 0;
}

bool ApiKey::admits(const codec::http1::Request& request) const {
  return same_secret(key_, presented_key(request));
}

}  // namespace parley::http_api
