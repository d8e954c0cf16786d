#include "auth/key_cache.h"

#include <utility>

namespace parley::auth {
namespace {

// A clock that was set back must not keep anything alive, or away, for longer.
bool elapsed(WallMillis since, WallMillis now, WallMillis span) {
  return now < since || now - since >= span;
}

}  // namespace

std::optional<KeyCache::Found> KeyCache::find(const std::string& url, std::string_view kid,
                                              const Algorithm& algorithm, WallMillis now,
                                              Waiter waiter) {
  Entry* entry = entry_of(url, now);
  if (entry == nullptr) return std::unexpected(TokenError::kUnavailable);
  Found found = known(*entry, kid, algorithm);
  const bool fresh = entry->keys && !elapsed(entry->fetched_at, now, limits_.valid_for);
  if (found && fresh) return found;
  if (!entry->fetching && !may_fetch(*entry, now)) return found;
  if (waiters_ >= limits_.max_waiters) return std::unexpected(TokenError::kUnavailable);
  ++waiters_;
  entry->waiting.push_back(
      {.kid = std::string(kid), .algorithm = &algorithm, .waiter = std::move(waiter)});
  if (entry->fetching) return std::nullopt;
  entry->fetching = true;
  entry->asked_at = now;
  fetcher_.fetch(url);
  return std::nullopt;
}

void KeyCache::on_fetched(const std::string& url, const Result<std::string>& body, WallMillis now) {
  const auto at = entries_.find(url);
  if (at == entries_.end() || !at->second.fetching) return;
  Entry& entry = at->second;
  entry.fetching = false;
  if (body) {
    if (auto keys = KeySet::parse(*body, limits_.key_set)) {
      entry.keys = std::move(*keys);
      entry.fetched_at = now;
    }
  }
  // A waiter may call find() again, which changes the entries: so all answers are made first.
  std::vector<std::pair<Waiter, Found>> answers;
  for (Waiting& waiting : std::exchange(entry.waiting, {}))
    answers.emplace_back(std::move(waiting.waiter), known(entry, waiting.kid, *waiting.algorithm));
  waiters_ -= answers.size();
  for (auto& [waiter, found] : answers) waiter(std::move(found), now);
}

KeyCache::Found KeyCache::known(const Entry& entry, std::string_view kid,
                                const Algorithm& algorithm) {
  if (!entry.keys) return std::unexpected(TokenError::kUnavailable);
  const VerifyingKey* key = entry.keys->find(kid, algorithm);
  if (key == nullptr) return std::unexpected(TokenError::kUnknownKey);
  return *key;
}

bool KeyCache::may_fetch(const Entry& entry, WallMillis now) const {
  return !entry.asked_at || elapsed(*entry.asked_at, now, limits_.fetch_interval);
}

KeyCache::Entry* KeyCache::entry_of(const std::string& url, WallMillis now) {
  if (const auto at = entries_.find(url); at != entries_.end()) return &at->second;
  if (entries_.size() >= limits_.max_urls && !make_room(now)) return nullptr;
  return &entries_[url];
}

// Forgets what is of no use any more. Nothing else: who invents URLs must not push keys out.
bool KeyCache::make_room(WallMillis now) {
  return std::erase_if(entries_, [&](const auto& item) {
           const Entry& entry = item.second;
           const bool useful = entry.keys && !elapsed(entry.fetched_at, now, limits_.valid_for);
           return !entry.fetching && !useful && may_fetch(entry, now);
         }) != 0;
}

}  // namespace parley::auth
