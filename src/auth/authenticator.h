// The port behind which tokens are verified, and what a verified token says.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/capability_set.h"
#include "base/bytes.h"
#include "base/time.h"

namespace parley::auth {

class Capabilities;

enum class TokenUse : uint8_t {
  kConnect,
  kSubscribe,
  kRefresh,  // of a connection, with another connection token
};

enum class TokenError : uint8_t {
  kInvalid,      // malformed, wrong signature, issuer, audience or claims
  kExpired,      // past `exp`, or before `nbf`
  kUnavailable,  // the keys could not be fetched; the same token may be good later
  kBlocked,      // good, but its user is not let in
  kRevoked,      // good but for a revocation of it
  kUnknownKey,   // names a key that is not known now: no signature was looked at
};

// Options of a namespace that a token changes for its own subscription.
struct SubscribeOverride {
  std::optional<bool> presence;
  std::optional<bool> join_leave;
  std::optional<bool> force_push_join_leave;
  std::optional<bool> force_positioning;
  std::optional<bool> force_recovery;
};

// What a token says about one subscription.
struct Grant {
  std::string channel;
  Buffer info;  // shown to others with the subscriber: JSON, or any bytes from a base64 claim
  Buffer data;  // given to the subscriber in the answer
  SubscribeOverride overrides;
  CapabilitySet allow;  // kSubscribe: what else the subscriber may do here
};

// What a token can be taken back by.
struct TokenId {
  std::string uid;        // `jti`; "": it has none
  int64_t issued_at = 0;  // `iat`, seconds since 1970; 0: not said
  bool operator==(const TokenId&) const = default;
};

// What a verified token says. Times are seconds since 1970.
struct Claims {
  std::string user;                   // "" is anonymous
  Buffer info;                        // of the connection; shown to others
  std::optional<int64_t> expires_at;  // of the connection or subscription, not of the token; none:
                                      // never
  std::vector<Grant> subscriptions;   // kConnect: subscribed by the server
  Grant grant;                        // kSubscribe
  std::string client;                 // kSubscribe: only for this client id; "": any
  TokenId id;
  Buffer meta;                               // kConnect: JSON for the application's own backend
  std::shared_ptr<const Capabilities> caps;  // kConnect; null: none
};

using TokenResult = std::expected<Claims, TokenError>;

// Those who have tokens verified.
class Askers {
 public:
  virtual ~Askers() = default;
  virtual bool is_there(uint64_t asker) const = 0;
};

// Who has a token verified. Once it has gone no signature of its is worth a look. Of the places of
// tokens that wait it may hold a few only, and they are answered in the order in which their keys
// came.
struct Asker {
  // null: somebody who is always there. All of these together may hold half of the places.
  const Askers* among = nullptr;
  uint64_t id = 0;  // where `among` is null: of the address that asks; 0: not known
  bool gone() const { return among != nullptr && !among->is_there(id); }
  bool operator==(const Asker&) const = default;
};

// What: verifies tokens by the configured algorithms and keys. Owner: server, one per shard. Shard:
// its own. Failure: a TokenError; never an exception.
class Authenticator {
 public:
  using Done = std::move_only_function<void(TokenResult)>;
  virtual ~Authenticator() = default;
  // The result, or nothing where keys must be fetched first: `done` is then called exactly once, in
  // a later turn, or never where its asker has gone by then; it may be called all the same, and
  // must bear it. It is not called otherwise.
  virtual std::optional<TokenResult> verify(TokenUse use, std::string_view token, WallMillis now,
                                            Asker asker, Done done) = 0;
};

// Where no key is configured: no token is valid.
class NoTokens final : public Authenticator {
 public:
  std::optional<TokenResult> verify(TokenUse, std::string_view, WallMillis, Asker, Done) override {
    return std::unexpected(TokenError::kInvalid);
  }
};

}  // namespace parley::auth
