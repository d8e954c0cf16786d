#include "auth/revocations.h"

#include <algorithm>

namespace parley::auth {

// Unlike any other user's and channel's, whatever stands in the names.
std::string Revocations::issued_key(std::string_view user, std::string_view channel) {
  return std::to_string(user.size()).append(":").append(user).append(channel);
}

std::string Revocations::key_of(const Revocation& one) {
  if (one.kind != Revocation::Kind::kIssuedBefore) return std::string(one.subject);
  return issued_key(one.subject, one.channel);
}

Revocations::Table Revocations::* Revocations::table_of(Revocation::Kind kind) {
  switch (kind) {
    case Revocation::Kind::kToken:
      return &Revocations::tokens_;
    case Revocation::Kind::kIssuedBefore:
      return &Revocations::issued_;
    case Revocation::Kind::kBlock:
    case Revocation::Kind::kUnblock:
      break;
  }
  return &Revocations::blocked_;
}

bool Revocations::has_room(const Revocation& one) const {
  return one.kind == Revocation::Kind::kUnblock || size() < limit_ ||
         (this->*table_of(one.kind)).contains(key_of(one));
}

void Revocations::remember(const Revocation& one) {
  Table& table = this->*table_of(one.kind);
  const std::string key = key_of(one);
  const auto known = table.find(key);
  if (one.kind == Revocation::Kind::kUnblock) {
    if (known != table.end()) forget(table, known);
    return;
  }
  int64_t issued_before = one.issued_before;
  int64_t expire_at = one.expire_at;
  if (known != table.end()) {
    if (one.kind == Revocation::Kind::kIssuedBefore) {
      // Of two the stricter: the later call may know less.
      const auto& expiry = known->second.expiry;
      issued_before = std::max(issued_before, known->second.issued_before);
      expire_at = expiry && expire_at != 0 ? std::max(expire_at, (*expiry)->first) : 0;
    }
    forget(table, known);
  }
  const auto entry = table.try_emplace(key).first;
  entry->second.issued_before = issued_before;
  if (expire_at != 0)
    entry->second.expiry = expiries_.emplace(expire_at, std::pair(&table, &entry->first));
}

void Revocations::forget(Table& table, Table::iterator entry) {
  if (entry->second.expiry) expiries_.erase(*entry->second.expiry);
  table.erase(entry);
}

void Revocations::expire(int64_t now) {
  constexpr int kMostAtOnce = 1000;
  for (int i = 0; i < kMostAtOnce; ++i) {
    if (expiries_.empty() || expiries_.begin()->first > now) return;
    const auto [table, key] = expiries_.begin()->second;
    forget(*table, table->find(*key));
  }
}

std::optional<TokenError> Revocations::judge(TokenUse use, std::string_view user,
                                             const TokenId& token, std::string_view channel) const {
  if (empty()) return std::nullopt;
  if (is_blocked(user)) return TokenError::kBlocked;
  if (!token.uid.empty() && tokens_.contains(token.uid)) return TokenError::kRevoked;
  if (issued_.empty()) return std::nullopt;
  const auto limit =
      issued_.find(issued_key(user, use == TokenUse::kSubscribe ? channel : std::string_view()));
  if (limit == issued_.end() || token.issued_at >= limit->second.issued_before) return std::nullopt;
  return TokenError::kRevoked;
}

}  // namespace parley::auth
