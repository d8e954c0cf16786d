// A token, and the claims in one, from anybody.
#include <cstdlib>

#include "auth/access.h"
#include "auth/jwt_sign.h"
#include "auth/ticket_order.h"
#include "auth/token_rules.h"
#include "base/base64.h"

namespace {

using namespace parley;
using namespace parley::auth;

constexpr WallMillis kNow = 1'700'000'000'000;

void require(bool condition) {
  if (!condition) std::abort();
}

std::shared_ptr<const TokenRules> rules_of(const TokenOptions& options) {
  auto rules = TokenRules::build(options);
  require(rules.has_value());
  return *rules;
}

// Whoever takes a token apart can put it together again: there is one spelling only.
void parse(ByteView text) {
  const auto jwt = parse_jwt(text, {});
  if (!jwt) return;
  Buffer again = jwt->text + ".";
  append_base64url(again, jwt->signature);
  require(again == text);
}

void read(TokenUse use, ByteView claims) {
  static const auto strict = rules_of({.hmac_secret_key = "secret"});
  static const auto other = rules_of({.hmac_secret_key = "other"});
  const bool readable = read_claims(use, claims, {}).has_value();
  const std::string token = sign_hs256(claims, "secret");
  const auto taken = strict->read(use, token);
  require(taken.has_value() == (readable && token.size() <= JwtLimits().max_size));
  if (!taken) return;
  require(strict->signature_holds(*taken, kNow) && !other->signature_holds(*taken, kNow));
  const TokenResult result = TokenRules::judge_time(*taken, kNow);
  require(!result || (use == TokenUse::kSubscribe) != result->grant.channel.empty());
}

// Capabilities that can be made ready answer for any channel; so does what a ticket would say.
void try_capabilities(ByteView text) {
  static RegexPool pool;
  const CapabilityLimits limits;
  if (auto claims = read_claims(TokenUse::kConnect, text, {})) {
    size_t patterns = 0;
    for (const CapabilityRule& rule : claims->caps) patterns += rule.channels.size();
    require(claims->caps.size() <= limits.rules && patterns <= limits.patterns);
    const auto caps = Capabilities::build(std::move(claims->caps), pool);
    if (caps && *caps) (*caps)->of(text.substr(0, kMaxChannelLength));
  }
  const TicketOrderLimits of_tickets;
  if (const auto order = read_ticket_order(text, of_tickets, pool))
    require(order->ttl >= seconds(1) && order->ttl <= of_tickets.ttl);
  if (parse_ticket(text)) require(is_ticket(text) && !parse_jwt(text, {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto fetched = rules_of({.jwks_public_endpoint = "https://keys.example/{{realm}}",
                                        .issuer_regex = "https://id/(?P<realm>one|two)"});
  static const auto lax = rules_of({.insecure_skip_token_signature_verify = true});
  const ByteView text(reinterpret_cast<const char*>(data), size);
  parse(text);
  try_capabilities(text);
  for (const TokenUse use : {TokenUse::kConnect, TokenUse::kSubscribe}) {
    if (const auto token = fetched->read(use, text))
      require(token->key_url == "https://keys.example/one" ||
              token->key_url == "https://keys.example/two");
    if (const auto token = lax->read(use, text)) require(lax->signature_holds(*token, kNow));
    read(use, text);
  }
  return 0;
}
