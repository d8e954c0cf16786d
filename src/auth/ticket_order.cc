#include "auth/ticket_order.h"

#include <algorithm>
#include <cstring>

#include <openssl/evp.h>

#include "auth/token_claims.h"
#include "base/base64.h"
#include "base/check.h"
#include "codec/json/reader.h"

namespace parley::auth {
namespace {

constexpr std::string_view kPrefix = "pt_";
constexpr char kVersion = 1;
constexpr size_t kSecretWords = 3;
// Whole groups of base64: each ticket has one spelling.
constexpr size_t kBytes = 3 + kSecretWords * sizeof(uint64_t);
constexpr size_t kDigits = kBytes / 3 * 4;
static_assert(kBytes % 3 == 0);

constexpr std::string_view kMembers[] = {"user",     "info", "b64info", "meta",
                                         "channels", "subs", "caps",    "expire_at"};

// Whether the members are those of an order; their values are read as claims.
bool read_members(ByteView json, int64_t& ttl) {
  codec::json::Scratch scratch;
  codec::json::Reader reader(json, scratch, {.max_depth = ClaimOptions().max_depth});
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) {
    if (key == "ttl") {
      if (!reader.null()) reader.integer(ttl);
    } else if (std::ranges::find(kMembers, key) == std::end(kMembers)) {
      return false;
    }
  }
  return reader.finish();
}

}  // namespace

std::optional<TicketOrder> read_ticket_order(ByteView json, const TicketOrderLimits& limits,
                                             RegexPool& pool) {
  TicketOrder order;
  int64_t ttl = order.ttl.count();
  if (json.size() > limits.bytes || !read_members(json, ttl) || ttl < 1 || ttl > limits.ttl.count())
    return std::nullopt;
  auto read = read_claims(TokenUse::kConnect, json, {.user_claim = "user"});
  if (!read) return std::nullopt;
  auto caps = Capabilities::build(std::move(read->caps), pool);
  if (!caps) return std::nullopt;
  order.claims = std::move(read->claims);
  order.claims.caps = std::move(*caps);
  order.ttl = seconds(ttl);
  return order;
}

std::string draw_ticket(ShardId owner, IdSource& ids) {
  Buffer bytes;
  bytes += kVersion;
  bytes += static_cast<char>(owner >> 8);
  bytes += static_cast<char>(owner & 0xff);
  for (size_t i = 0; i < kSecretWords; ++i) {
    const uint64_t word = ids.next_u64();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  std::string text(kPrefix);
  append_base64url(text, bytes);
  return text;
}

bool is_ticket(std::string_view token) { return token.starts_with(kPrefix); }

std::optional<TicketName> parse_ticket(std::string_view text) {
  if (!is_ticket(text) || text.size() != kPrefix.size() + kDigits) return std::nullopt;
  const auto bytes = decode_base64url(text.substr(kPrefix.size()));
  if (!bytes || bytes->front() != kVersion) return std::nullopt;
  const auto byte_at = [&](size_t i) { return static_cast<uint8_t>((*bytes)[i]); };
  TicketName name{.owner = static_cast<ShardId>(byte_at(1) << 8 | byte_at(2))};
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), name.digest.data(), &size, EVP_sha256(), nullptr) ==
        1);
  return name;
}

}  // namespace parley::auth
