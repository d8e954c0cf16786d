#include "auth/key_cache.h"

#include <algorithm>
#include <utility>

#include "base/metrics.h"

namespace parley::auth {
namespace {

metrics::Counter refused_total("parley_tokens_not_waiting_total",
                               "Tokens refused as unavailable because too many, or too many of "
                               "one session, wait for their keys");

// A clock that was set back must not keep anything alive, or away, for longer.
bool elapsed(WallMillis since, WallMillis now, WallMillis span) {
  return now < since || now - since >= span;
}

bool is_told_apart(const Asker& asker) { return asker.among != nullptr || asker.id != 0; }

}  // namespace

std::optional<KeyCache::Found> KeyCache::find(const std::string& url, const KeyName& name,
                                              WallMillis now, Asker asker, Waiter waiter) {
  Entry* entry = entry_of(url, now);
  if (entry == nullptr) return std::unexpected(TokenError::kUnavailable);
  const WallMillis since = due_since(*entry, name, now);
  Found found = known(*entry, name.kid, name.algorithm, since);
  const bool fresh = entry->keys && !elapsed(entry->fetched_at, now, limits_.valid_for);
  const bool settled = (found && fresh) || (!entry->fetching && !may_fetch(*entry, now));
  if (settled && !is_due(asker)) return found;
  const bool gone = asker.gone();
  if (!gone && !take_place(asker)) {
    if (found && !settled && !is_due(asker) && endures(*entry, now)) {
      if (!entry->fetching) begin_fetch(*entry, url, now);
      return found;
    }
    refused_total.add();
    return std::unexpected(TokenError::kUnavailable);
  }
  if (!settled && !entry->fetching) begin_fetch(*entry, url, now);
  if (gone) return std::nullopt;
  if (settled) {
    add_due({asker, std::move(waiter), std::move(found)});
  } else {
    entry->waiting.push_back({.kid = std::string(name.kid),
                              .algorithm = &name.algorithm,
                              .since = since,
                              .asker = asker,
                              .waiter = std::move(waiter)});
  }
  return std::nullopt;
}

void KeyCache::begin_fetch(Entry& entry, const std::string& url, WallMillis now) {
  entry.fetching = true;
  entry.asked_at = now;
  fetcher_.fetch(url);
}

void KeyCache::on_fetched(const std::string& url, const Result<std::string>& body, WallMillis now,
                          WallMillis age) {
  const auto at = entries_.find(url);
  if (at == entries_.end() || !at->second.fetching) return;
  Entry& entry = at->second;
  entry.fetching = false;
  // What this shard asked for is fetched after that. A copy neither is newer than it is, nor keeps
  // from asking again for longer.
  if (age > 0) entry.asked_at = now - age;
  entry.failing = true;
  if (body) {
    if (auto keys = KeySet::parse(*body, limits_.key_set)) {
      entry.keys = std::move(*keys);
      entry.fetched_at = *entry.asked_at;
      entry.failing = false;
    }
  }
  for (Waiting& waiting : std::exchange(entry.waiting, {}))
    add_due({waiting.asker, std::move(waiting.waiter),
             known(entry, waiting.kid, *waiting.algorithm, waiting.since)});
}

void KeyCache::add_due(Due due) {
  if (is_told_apart(due.asker)) ++places_[due.asker].due;
  due_.push_back(std::move(due));
}

// A waiter may call find() again, which changes everything.
void KeyCache::turn(WallMillis now) {
  swept_ = false;
  size_t verified = 0;
  for (size_t n = 0; n < limits_.answered_per_turn && verified < limits_.verified_per_turn; ++n) {
    if (due_.empty()) return;
    Due due = std::move(due_.front());
    due_.pop_front();
    if (is_told_apart(due.asker)) --places_[due.asker].due;
    give_place(due.asker);
    if (due.asker.gone()) continue;
    if (due.found) ++verified;
    due.waiter(std::move(due.found), now);
  }
}

// Of one address many ask, and none for another's sake.
bool KeyCache::is_due(const Asker& asker) const {
  if (due_.empty() || asker.among == nullptr) return false;
  const auto at = places_.find(asker);
  return at != places_.end() && at->second.due > 0;
}

bool KeyCache::take_place(const Asker& asker) {
  if (waiters_ >= limits_.max_waiters) drop_gone();
  if (waiters_ >= limits_.max_waiters) return false;
  const bool passes = asker.among == nullptr;
  if (passes && passing_ >= limits_.passing_waiters) return false;
  if (is_told_apart(asker)) {
    Places& places = places_[asker];
    if (places.all >= limits_.waiters_each) return false;
    ++places.all;
  }
  ++waiters_;
  if (passes) ++passing_;
  return true;
}

void KeyCache::give_place(const Asker& asker) {
  --waiters_;
  if (asker.among == nullptr) --passing_;
  if (!is_told_apart(asker)) return;
  const auto at = places_.find(asker);
  if (--at->second.all == 0) places_.erase(at);
}

// Whoever came, asked and went must not keep others out for as long as a fetch takes. All of an
// asker's go at once. All that wait are gone through, so not for each who is refused.
void KeyCache::drop_gone() {
  if (std::exchange(swept_, true)) return;
  const auto drop = [this](const auto& one) {
    const bool gone = one.asker.gone();
    if (gone) give_place(one.asker);
    return gone;
  };
  for (auto& [url, entry] : entries_) std::erase_if(entry.waiting, drop);
  std::erase_if(due_, drop);
}

// Clocks of issuers are not ours, and endpoints may answer with copies, too.
WallMillis KeyCache::due_since(Entry& entry, const KeyName& name, WallMillis now) const {
  if (name.issued_at != 0 && name.issued_at <= now)
    return std::min(now, name.issued_at + limits_.fetch_interval);
  // Where there is no set yet, the first answers all who wait for it.
  if (!entry.keys || entry.keys->find(name.kid, name.algorithm) != nullptr) return now;
  return missing_since(entry, name.kid, now);
}

// Of all who come back with a bad token only one begins the fetch: without this the others would be
// told to try again for ever. A token was there when it was first shown, and so was its key. For
// long enough that all come back behind the fetch; not longer, or a name that was tried before its
// key existed would count. Names are the peer's choice: the first ones stay, others are as new.
WallMillis KeyCache::missing_since(Entry& entry, std::string_view kid, WallMillis now) const {
  std::erase_if(entry.missing, [&](const Missing& one) {
    return elapsed(one.since, now, 2 * limits_.fetch_interval);
  });
  const size_t hash = SeededHash{}(kid);
  const auto at = std::ranges::find(entry.missing, hash, &Missing::kid);
  if (at != entry.missing.end()) return at->since;
  if (entry.missing.size() < limits_.missing_names) entry.missing.push_back({hash, now});
  return now;
}

KeyCache::Found KeyCache::known(const Entry& entry, std::string_view kid,
                                const Algorithm& algorithm, WallMillis since) {
  if (!entry.keys) return std::unexpected(TokenError::kUnavailable);
  if (const VerifyingKey* key = entry.keys->find(kid, algorithm)) return *key;
  return std::unexpected(entry.fetched_at >= since ? TokenError::kUnknownKey
                                                   : TokenError::kUnavailable);
}

// While fetching fails keys are used on in any case. Else this is about the length of one fetch,
// in which whoever fills all places must neither keep out those with good keys nor let in those
// with keys that were withdrawn long ago.
bool KeyCache::endures(const Entry& entry, WallMillis now) const {
  return entry.failing ||
         !elapsed(entry.fetched_at, now, limits_.valid_for + limits_.fetch_interval);
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
