#include "cli/token_command.h"

#include <chrono>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "auth/jwt_sign.h"
#include "cli/configuration.h"
#include "cli/json_line.h"

namespace parley::cli {

std::expected<std::string, std::string> make_token(const TokenCommand& command,
                                                   const config::Client& client, int64_t now) {
  const bool own_key = !command.channel.empty() && client.subscription_token.enabled;
  const config::Token& token = own_key ? client.subscription_token : client.token;
  if (token.hmac_secret_key.empty())
    return std::unexpected(fmt::format(
        "client.{}.hmac_secret_key is not set{}, and other keys can only verify: set it, or "
        "sign the token where the private key is",
        own_key ? "subscription_token" : "token",
        command.source.file.empty() ? " (no --config was given)" : " in " + command.source.file));
  nlohmann::json claims{{"iat", now}};
  claims[token.user_id_claim.empty() ? "sub" : token.user_id_claim] = command.user;
  if (!command.channel.empty()) claims["channel"] = command.channel;
  if (command.ttl > 0) claims["exp"] = now + command.ttl;
  if (!token.audience.empty()) claims["aud"] = token.audience;
  if (!token.issuer.empty()) claims["iss"] = token.issuer;
  return auth::sign_hs256(claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                          token.hmac_secret_key);
}

std::string token_json(const TokenCommand& command, const std::string& token, int64_t now) {
  nlohmann::ordered_json object{{"token", token}, {"user", command.user}};
  if (!command.channel.empty()) object["channel"] = command.channel;
  if (command.ttl > 0) object["expires_at"] = now + command.ttl;
  return json_line(object);
}

int run_token(const TokenCommand& command) {
  const auto loaded = read_configuration(command.source);
  if (!loaded) {
    fmt::print(stderr, "{}", loaded.error().lines());
    return kExitFailed;
  }
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const auto token = make_token(command, loaded->config.client, now);
  if (!token) {
    fmt::print(stderr, "parley: {}\n", token.error());
    return kExitFailed;
  }
  fmt::print("{}\n", command.json ? token_json(command, *token, now) : *token);
  return kExitOk;
}

}  // namespace parley::cli
