// Quotas that a test fills by hand.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "base/quotas.h"

namespace parley::testing {

struct FakeQuotas final : Quotas {
  bool may(Operation operation, PeerKeys who, Time) override {
    last = who;
    ++asked[static_cast<size_t>(operation)];
    if (!left) return true;
    if (*left == 0) return false;
    --*left;
    return true;
  }
  bool enter_user(uint64_t user, bool always) override {
    if (!always && users[user] >= connections) return false;
    ++users[user];
    return true;
  }
  void leave_user(uint64_t user) override { --users[user]; }
  void leave_seat(uint64_t) override { ++seats_left; }
  uint32_t of_all() const {
    uint32_t sum = 0;
    for (const auto& [user, count] : users) sum += count;
    return sum;
  }

  std::optional<uint32_t> left;       // operations; none: any
  uint32_t connections = UINT32_MAX;  // of one user
  std::map<uint64_t, uint32_t> users;
  std::array<uint32_t, kOperations> asked{};
  uint32_t seats_left = 0;
  PeerKeys last;
};

}  // namespace parley::testing
