#include "hub/pattern_set.h"

#include "base/glob.h"

namespace parley::hub {

bool PatternList::add(PatternId id, PatternSyntax syntax, std::string pattern) {
  if (entries_.size() >= max_patterns_) return false;
  entries_.push_back({id, syntax, std::move(pattern)});
  return true;
}

void PatternList::remove(PatternId id) {
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
}

void PatternList::match(std::string_view channel, std::vector<PatternId>& out) const {
  for (const Entry& entry : entries_)
    if (glob_match(entry.pattern, channel)) out.push_back(entry.id);
}

}  // namespace parley::hub
