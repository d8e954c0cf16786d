// What a requester is not to have any more, though it has asked for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "hub/requester.h"

namespace parley::hub {

// Each publish that waits is looked up in it.
using BlockedUsers = std::unordered_set<std::string, SeededHash, std::equal_to<>>;

struct Withdrawal {
  RequesterId who;
  std::optional<StepId> step = {};  // none: of any
  std::string channel = {};         // "": of any
};

// The withdrawals of a turn, by requester. A value of the hub. What was taken back is told in
// docs/adr/0017-revocation.md.
class WithdrawalSet {
 public:
  explicit WithdrawalSet(std::vector<Withdrawal> all) {
    for (Withdrawal& one : all) by_requester_[key_of(one.who)].push_back(std::move(one));
  }

  // Those of it that are about this step; nullptr: the requester has lost nothing.
  const std::vector<Withdrawal>* find(RequesterId who) const {
    const auto found = by_requester_.find(key_of(who));
    return found == by_requester_.end() ? nullptr : &found->second;
  }
  bool cover(RequesterId who, StepId step, std::string_view channel) const;

 private:
  static uint64_t key_of(RequesterId who) {
    return static_cast<uint64_t>(who.generation) << 32 | who.index;
  }
  std::unordered_map<uint64_t, std::vector<Withdrawal>> by_requester_;
};

// The same for another shard, which knows requests by their waiters. Those who had gone before they
// lost anything are nobody's to name: what they asked for is known by its user alone. Shared and
// immutable.
class WithdrawnWaiters {
 public:
  // "": whatever the channel.
  void add(uint64_t waiter, std::string_view channel) { waiters_.emplace(waiter, channel); }
  // All of these users, none of whom is "".
  void add_users(BlockedUsers users) { users_ = std::move(users); }
  // `user`: who publishes.
  bool cover(uint64_t waiter, std::string_view channel, std::string_view user) const;
  bool empty() const { return waiters_.empty() && users_.empty(); }

 private:
  std::multimap<uint64_t, std::string> waiters_;
  BlockedUsers users_;
};

}  // namespace parley::hub
