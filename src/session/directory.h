// Which sessions a user has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"

namespace parley::session {

// What: sessions of each named user, by their index in the table. Owner: SessionTable. Shard: its
// own. Failure: none.
class Directory {
 public:
  // Returns the place among the user's sessions, for remove().
  uint32_t add(std::string_view user, uint32_t session) {
    auto found = users_.find(user);
    if (found == users_.end()) found = users_.try_emplace(std::string(user)).first;
    found->second.push_back(session);
    return static_cast<uint32_t>(found->second.size() - 1);
  }
  // Another session may take the place; if so, returns which.
  std::optional<uint32_t> remove(std::string_view user, uint32_t place) {
    const auto found = users_.find(user);
    std::vector<uint32_t>& sessions = found->second;
    const uint32_t last = sessions.back();
    sessions.pop_back();
    if (place < sessions.size()) return sessions[place] = last;
    if (sessions.empty()) users_.erase(found);
    return std::nullopt;
  }
  std::vector<uint32_t> of(std::string_view user) const {
    const auto found = users_.find(user);
    return found == users_.end() ? std::vector<uint32_t>() : found->second;
  }
  size_t sessions_of(std::string_view user) const {
    const auto found = users_.find(user);
    return found == users_.end() ? 0 : found->second.size();
  }
  size_t users() const { return users_.size(); }

 private:
  std::unordered_map<std::string, std::vector<uint32_t>, SeededHash, std::equal_to<>> users_;
};

}  // namespace parley::session
