// Patterns that sessions follow besides exact channel names, and which of them a channel matches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::hub {

// How a pattern's text is read. Each protocol has its own wildcards; the hub knows them all by
// these names.
enum class PatternSyntax : uint8_t { kGlob };

using PatternId = uint32_t;

// What: the patterns of one node, the same on every shard; a pattern is live once every shard has
// it. Owner: Hub. Shard: its own. Cost: matching is linear in text and pattern; the number of
// patterns is limited by the constructor's argument.
class PatternSet {
 public:
  virtual ~PatternSet() = default;
  // False when the set is full.
  virtual bool add(PatternId id, PatternSyntax syntax, std::string pattern) = 0;
  virtual void remove(PatternId id) = 0;
  // Appends the ids of all patterns that match `channel`.
  virtual void match(std::string_view channel, std::vector<PatternId>& out) const = 0;
};

// A plain list: right, and fast enough for tens of patterns. A trie takes its place with the first
// protocol that needs thousands.
class PatternList final : public PatternSet {
 public:
  explicit PatternList(size_t max_patterns) : max_patterns_(max_patterns) {}
  bool add(PatternId id, PatternSyntax syntax, std::string pattern) override;
  void remove(PatternId id) override;
  void match(std::string_view channel, std::vector<PatternId>& out) const override;

 private:
  struct Entry {
    PatternId id;
    PatternSyntax syntax;
    std::string pattern;
  };
  size_t max_patterns_;
  std::vector<Entry> entries_;
};

}  // namespace parley::hub
