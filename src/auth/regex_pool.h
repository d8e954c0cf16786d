// Regular expressions that tokens bring along.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace re2 {
class RE2;
}

namespace parley::auth {

// What: compiled expressions (RE2: linear in what they are matched with, and bounded in memory) by
// their text, one for all that hold the same: the tokens of an application differ in little, so
// that the last 64 stay even when nobody holds them. Owner: who verifies tokens, one per shard;
// what it gave away may outlive it. Shard: its own. Failure: a null pointer.
class RegexPool {
 public:
  // Null: no regular expression, or one that needs too much memory.
  std::shared_ptr<const re2::RE2> find(std::string_view text);
  size_t size() const { return known_.size(); }

 private:
  void forget_unused();

  std::unordered_map<std::string, std::weak_ptr<const re2::RE2>, SeededHash, std::equal_to<>>
      known_;
  size_t forget_at_ = 64;
  std::array<std::shared_ptr<const re2::RE2>, 64> latest_;  // a ring
  size_t next_ = 0;
};

}  // namespace parley::auth
