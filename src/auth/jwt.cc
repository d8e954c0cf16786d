#include "auth/jwt.h"

#include <algorithm>

#include "base/base64.h"
#include "codec/json/reader.h"

namespace parley::auth {
namespace {

constexpr std::string_view kRefusedMembers[] = {"crit", "b64", "enc", "zip"};

bool read_header(ByteView json, uint32_t max_depth, Jwt& out) {
  codec::json::Scratch scratch;
  codec::json::Reader reader(json, scratch, {.max_depth = max_depth});
  std::string_view value;
  if (reader.object()) {
    for (std::string_view key; reader.key(key);) {
      if (key == "alg" && reader.string(value)) {
        out.algorithm = find_algorithm(value);
      } else if (key == "kid" && reader.string(value)) {
        out.kid = value;
      } else if (std::ranges::find(kRefusedMembers, key) != std::end(kRefusedMembers)) {
        reader.fail();
      }
    }
  }
  return reader.finish() && out.algorithm != nullptr;
}

}  // namespace

std::optional<Jwt> parse_jwt(std::string_view compact, const JwtLimits& limits) {
  if (compact.size() > limits.max_size) return std::nullopt;
  const size_t first = compact.find('.');
  const size_t second = first == compact.npos ? first : compact.find('.', first + 1);
  if (second == compact.npos) return std::nullopt;
  const auto header = decode_base64url(compact.substr(0, first));
  auto payload = decode_base64url(compact.substr(first + 1, second - first - 1));
  auto signature = decode_base64url(compact.substr(second + 1));
  if (!header || !payload || !signature) return std::nullopt;
  Jwt jwt{.algorithm = nullptr,
          .text = std::string(compact.substr(0, second)),
          .payload = std::move(*payload),
          .signature = std::move(*signature)};
  if (!read_header(*header, limits.max_depth, jwt)) return std::nullopt;
  return jwt;
}

}  // namespace parley::auth
