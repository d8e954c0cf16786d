// The Authenticator of a configuration.
#pragma once

#include <memory>

#include "auth/authenticator.h"
#include "auth/key_cache.h"
#include "auth/token_rules.h"

namespace parley::auth {

// Both kinds of token may have rules of their own.
struct TokenRuleSet {
  std::shared_ptr<const TokenRules> connect;    // never nullptr
  std::shared_ptr<const TokenRules> subscribe;  // nullptr: the same as connect
};

// What: verifies tokens by TokenRules, with keys from the configuration or fetched. Owner: server,
// one per shard; outlives whoever has a token verified. Shard: its own. Failure: a TokenError.
class TokenAuthenticator final : public Authenticator {
 public:
  TokenAuthenticator(TokenRuleSet rules, KeyFetcher& fetcher, const KeyCacheLimits& limits = {})
      : rules_(std::move(rules)), keys_(fetcher, limits) {}

  std::optional<TokenResult> verify(TokenUse use, std::string_view token, WallMillis now,
                                    Asker asker, Done done) override;
  void on_fetched(const std::string& url, const Result<std::string>& body, WallMillis now,
                  WallMillis age = 0) {
    keys_.on_fetched(url, body, now, age);
  }
  // In each turn: judges some of the tokens whose keys have come.
  void turn(WallMillis now) { keys_.turn(now); }
  // Others are left for the next turn.
  bool has_work() const { return keys_.has_work(); }
  // Between turns. A token that is waiting for its key is answered kUnavailable: the new rules may
  // not take it.
  void swap_rules(TokenRuleSet rules) { rules_ = std::move(rules); }

 private:
  const std::shared_ptr<const TokenRules>& rules_for(TokenUse use) const {
    return use == TokenUse::kSubscribe && rules_.subscribe ? rules_.subscribe : rules_.connect;
  }

  TokenResult judge(UnverifiedToken token, const KeyCache::Found& found, WallMillis now);
  TokenResult accept(UnverifiedToken token, WallMillis now);

  TokenRuleSet rules_;
  KeyCache keys_;
  RegexPool regexes_;
};

}  // namespace parley::auth
