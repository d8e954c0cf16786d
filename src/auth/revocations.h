// Who is not let in any more, and which tokens are good no longer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "auth/authenticator.h"
#include "base/hash.h"

namespace parley::auth {

// One thing to remember. Times are seconds since 1970.
struct Revocation {
  enum class Kind : uint8_t {
    kBlock,         // the user `subject` is not let in
    kUnblock,       // ... is again
    kToken,         // the token with the id `subject` is good no longer
    kIssuedBefore,  // nor are the user's that were issued before a time: connection tokens, or,
                    // with `channel`, the subscription tokens for it
  };
  Kind kind = Kind::kBlock;
  std::string_view subject;
  std::string_view channel = {};
  int64_t issued_before = 0;
  int64_t expire_at = 0;  // 0: never forgotten
};

// What: what was revoked, in memory. Owner: the server, one per shard, all with the same entries;
// a restart forgets them. Shard: its own; changed and asked there, so that no lock stands between.
// Failure: the limit is for the caller to keep (has_room). Why so: docs/adr/0017-revocation.md.
class Revocations {
 public:
  explicit Revocations(size_t limit = 100'000) : limit_(limit) {}

  // Whether it would be within the limit, as what is there already is.
  bool has_room(const Revocation& one) const;
  void remember(const Revocation& one);
  // Forgets what expires by then, at most 1,000 a call: where more expire at once, the others hold
  // until the next calls.
  void expire(int64_t now);

  bool is_blocked(std::string_view user) const {
    return !blocked_.empty() && blocked_.contains(user);
  }
  // What is wrong with a token that is good otherwise. A token that does not say when it was issued
  // counts as issued long ago. `channel`: of a subscription token.
  std::optional<TokenError> judge(TokenUse use, std::string_view user, const TokenId& token,
                                  std::string_view channel) const;
  size_t size() const { return blocked_.size() + tokens_.size() + issued_.size(); }
  bool empty() const { return size() == 0; }

 private:
  struct Entry;
  using Table = std::unordered_map<std::string, Entry, SeededHash, std::equal_to<>>;
  using Timetable = std::multimap<int64_t, std::pair<Table*, const std::string*>>;
  struct Entry {
    int64_t issued_before = 0;
    std::optional<Timetable::iterator> expiry;  // none: never
  };

  static std::string key_of(const Revocation& one);
  static std::string issued_key(std::string_view user, std::string_view channel);
  static Table Revocations::* table_of(Revocation::Kind kind);
  void forget(Table& table, Table::iterator entry);

  size_t limit_;
  Table blocked_;  // by user
  Table tokens_;   // by id
  Table issued_;   // by user and channel
  Timetable expiries_;
};

}  // namespace parley::auth
