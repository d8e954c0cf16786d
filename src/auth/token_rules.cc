#include "auth/token_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "auth/jwk.h"

namespace parley::auth {
namespace {

template <class T>
Result<T> named(const char* key, Result<T> result) {
  if (!result) return fail(fmt::format("{}: {}", key, result.error().message));
  return result;
}

bool is_claim_name(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

Result<std::shared_ptr<const TokenRules>> TokenRules::build(const TokenOptions& options) {
  auto rules = std::make_shared<TokenRules>();
  rules->limits_ = options.limits;
  rules->claim_options_.max_depth = options.limits.max_depth;
  rules->skip_signature_ = options.insecure_skip_token_signature_verify;
  rules->issuer_ = TRY(ClaimRule::build("issuer", options.issuer, options.issuer_regex));
  rules->audience_ = TRY(ClaimRule::build("audience", options.audience, options.audience_regex));
  if (const std::string& claim = options.user_id_claim; !claim.empty()) {
    if (!is_claim_name(claim)) return fail("user_id_claim may hold letters and _ only");
    if (is_reserved_claim(claim))
      return fail(fmt::format("user_id_claim: \"{}\" has another meaning in tokens", claim));
    rules->claim_options_.user_claim = claim;
  }
  TRY(rules->add_keys(options));
  if (!options.jwks_public_endpoint.empty()) {
    rules->keys_.clear();
    rules->endpoint_ =
        TRY(EndpointTemplate::build(options.jwks_public_endpoint, rules->issuer_, rules->audience_,
                                    options.insecure_skip_jwks_endpoint_safety_check));
  }
  return rules;
}

Result<void> TokenRules::add_keys(const TokenOptions& options) {
  if (!options.hmac_secret_key.empty())
    keys_.push_back(
        {.key = TRY(named("hmac_secret_key", VerifyingKey::from_secret(options.hmac_secret_key)))});
  if (!options.hmac_previous_secret_key.empty())
    keys_.push_back({.key = TRY(named("hmac_previous_secret_key",
                                      VerifyingKey::from_secret(options.hmac_previous_secret_key))),
                     .valid_until = options.hmac_previous_secret_key_valid_until});
  if (!options.rsa_public_key.empty())
    keys_.push_back(
        {.key = TRY(named("rsa_public_key",
                          VerifyingKey::from_pem(KeyFamily::kRsa, options.rsa_public_key)))});
  if (!options.ecdsa_public_key.empty())
    keys_.push_back(
        {.key = TRY(named("ecdsa_public_key",
                          VerifyingKey::from_pem(KeyFamily::kEc, options.ecdsa_public_key)))});
  if (!options.jwk.empty()) {
    Jwk jwk = TRY(named("jwk", parse_jwk(options.jwk, JwkSource::kConfiguration)));
    keys_.push_back({.key = std::move(jwk.key), .kid = std::move(jwk.kid)});
  }
  return {};
}

std::optional<UnverifiedToken> TokenRules::read(TokenUse use, std::string_view token) const {
  auto jwt = parse_jwt(token, limits_);
  if (!jwt) return std::nullopt;
  auto claims = read_claims(use, jwt->payload, claim_options_);
  NamedValues groups;
  if (!claims || !issuer_.matches(claims->issuer, groups) ||
      !audience_fits(claims->audience, groups))
    return std::nullopt;
  UnverifiedToken unverified{.jwt = std::move(*jwt), .claims = std::move(*claims), .key_url = {}};
  if (!endpoint_ || skip_signature_) return unverified;
  // A key set holds public keys only, each under its name.
  if (unverified.jwt.algorithm->family == KeyFamily::kHmac || unverified.jwt.kid.empty() ||
      unverified.jwt.signature.empty())
    return std::nullopt;
  auto url = endpoint_->fill(groups);
  if (!url) return std::nullopt;
  unverified.key_url = std::move(*url);
  return unverified;
}

bool TokenRules::audience_fits(const std::vector<std::string>& audience,
                               NamedValues& groups) const {
  return !audience_.set() || std::ranges::any_of(audience, [&](const std::string& one) {
    return audience_.matches(one, groups);
  });
}

bool TokenRules::signature_holds(const UnverifiedToken& token, WallMillis now) const {
  if (skip_signature_) return true;
  const Jwt& jwt = token.jwt;
  return std::ranges::any_of(keys_, [&](const ConfiguredKey& known) {
    if (known.valid_until != 0 && now / 1000 >= known.valid_until) return false;
    if (!known.kid.empty() && !jwt.kid.empty() && known.kid != jwt.kid) return false;
    return known.key.verify(*jwt.algorithm, jwt.text, jwt.signature);
  });
}

TokenResult TokenRules::judge_time(UnverifiedToken token, WallMillis now) {
  TokenClaims& claims = token.claims;
  if ((claims.expires && *claims.expires <= now) || (claims.not_before && *claims.not_before > now))
    return std::unexpected(TokenError::kExpired);
  return std::move(claims.claims);
}

}  // namespace parley::auth
