// Keys that are fetched when a token needs them, and kept.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "auth/authenticator.h"
#include "auth/key_set.h"
#include "base/hash.h"

namespace parley::auth {

// What: fetches key sets over the network. Owner: server, which hands each answer to
// TokenAuthenticator::on_fetched in a later turn: exactly one per fetch, also when it fails or
// takes too long. Shard: that of its caller.
class KeyFetcher {
 public:
  virtual ~KeyFetcher() = default;
  virtual void fetch(const std::string& url) = 0;
};

struct KeyCacheLimits {
  KeySetLimits key_set;
  WallMillis valid_for = 60 * 60 * 1000;  // then the set is fetched again before it is believed
  WallMillis fetch_interval = 60 * 1000;  // at most one fetch per URL in this time
  size_t max_waiters = 1000;  // tokens that wait, all URLs together, until they are answered
  size_t waiters_each = 64;   // ... of one asker: what a client subscribes to at a time
  // ... of those who are not known to stay for the answer, /pub's: who posts and leaves costs
  // itself nothing.
  size_t passing_waiters = max_waiters / 2;
  // Of them in one turn: one signature may take 0.6 ms, and an answer without one may end a
  // session.
  size_t verified_per_turn = 4;
  size_t answered_per_turn = 100;
  size_t max_urls = 100;
  // Names of keys that are not in one URL's set, and are remembered as asked for.
  size_t missing_names = 64;
};

// Which key a token names.
struct KeyName {
  std::string_view kid;
  const Algorithm& algorithm;
  WallMillis issued_at = 0;  // the token, as it says; 0: it does not
};

// What: key sets by URL. The URL holds all that a key depends on besides its name and algorithm:
// where issuers have keys of their own, the issuer is part of the URL. Keys that were fetched once
// are used on while fetching fails. Tokens that waited are answered a few in each turn, and those
// whose asker has gone not at all: what a fetch is worth must not be one turn's work. Owner:
// TokenAuthenticator. Shard: its own. Failure: kUnknownKey where no such key exists in a set that
// was fetched since it was asked for, or since a while after the token was issued, or where that is
// not said since its name was first asked for; kUnavailable where nobody can know: the key may be
// newer than the set.
class KeyCache {
 public:
  using Found = std::expected<VerifyingKey, TokenError>;
  using Waiter = std::move_only_function<void(Found, WallMillis now)>;

  explicit KeyCache(KeyFetcher& fetcher, const KeyCacheLimits& limits = {})
      : fetcher_(fetcher), limits_(limits) {}

  // The key, or nothing where it is being fetched, or the asker has others that were and are not
  // answered yet: then `waiter` is called in a turn after on_fetched is. For an asker that is not
  // there it is not called, but the key is fetched. Where there is no place to wait, a key that is
  // due to be fetched again serves for the length of a fetch interval more.
  std::optional<Found> find(const std::string& url, const KeyName& name, WallMillis now,
                            Asker asker, Waiter waiter);
  // The answer to a fetch. One that nobody asked for is ignored. `age`: it is a copy of what was
  // asked for so long ago, for another; 0: it was fetched for this one.
  void on_fetched(const std::string& url, const Result<std::string>& body, WallMillis now,
                  WallMillis age = 0);
  // Calls some of those whose keys have come, in that order.
  void turn(WallMillis now);
  bool has_work() const { return !due_.empty(); }

 private:
  struct Waiting {
    std::string kid;
    const Algorithm* algorithm;
    WallMillis since;
    Asker asker;
    Waiter waiter;
  };
  // What came of the fetch, until there is time for it.
  struct Due {
    Asker asker;
    Waiter waiter;
    Found found;
  };
  // Of one asker, in both.
  struct Places {
    size_t all = 0;
    size_t due = 0;
  };
  struct AskerHash {
    size_t operator()(const Asker& asker) const { return std::hash<uint64_t>()(asker.id); }
  };
  // A name that is not in the set, since it was first asked for.
  struct Missing {
    size_t kid = 0;  // hashed
    WallMillis since = 0;
  };
  struct Entry {
    std::optional<KeySet> keys;
    WallMillis fetched_at = 0;           // `keys`: the fetch began
    std::optional<WallMillis> asked_at;  // the last fetch began
    bool fetching = false;
    bool failing = false;  // the last fetch that ended did
    std::vector<Waiting> waiting;
    std::vector<Missing> missing;
  };
  using Entries = std::unordered_map<std::string, Entry, SeededHash, std::equal_to<>>;

  Entry* entry_of(const std::string& url, WallMillis now);
  bool make_room(WallMillis now);
  bool may_fetch(const Entry& entry, WallMillis now) const;
  void begin_fetch(Entry& entry, const std::string& url, WallMillis now);
  bool is_due(const Asker& asker) const;
  bool take_place(const Asker& asker);
  void give_place(const Asker& asker);
  void drop_gone();
  bool endures(const Entry& entry, WallMillis now) const;
  void add_due(Due due);
  WallMillis due_since(Entry& entry, const KeyName& name, WallMillis now) const;
  WallMillis missing_since(Entry& entry, std::string_view kid, WallMillis now) const;
  // `since`: a set that was fetched then has the key, if anybody has.
  static Found known(const Entry& entry, std::string_view kid, const Algorithm& algorithm,
                     WallMillis since);

  KeyFetcher& fetcher_;
  KeyCacheLimits limits_;
  Entries entries_;
  size_t waiters_ = 0;
  size_t passing_ = 0;  // of them
  bool swept_ = false;  // in this turn: those who have gone
  std::deque<Due> due_;
  std::unordered_map<Asker, Places, AskerHash> places_;  // of askers that are told apart
};

}  // namespace parley::auth
