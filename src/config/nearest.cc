#include "config/nearest.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace parley::config {
namespace {

constexpr size_t kMaxSuggestions = 3;
constexpr size_t kMinBeginning = 4;  // letters; a name that begins so may have been meant
constexpr size_t kMaxListed = 12;
constexpr size_t kMaxCompared = 100;  // bytes; longer names are like none

// Paths elsewhere in the table that end in the key, or that are the key with dots for underscores,
// as options were written before sections.
std::vector<std::string> elsewhere(const Table& table, const std::string& key) {
  std::vector<std::string> found;
  for (const Option& option : table.options()) {
    std::string flat = option.path;
    std::ranges::replace(flat, '.', '_');
    const bool same_end = option.path.ends_with("." + key);
    const bool flat_end =
        key.find('_') != std::string::npos && (flat == key || flat.ends_with("_" + key));
    if (same_end || flat_end) found.push_back(option.path);
  }
  std::ranges::stable_sort(found, {}, [](const std::string& path) { return path.size(); });
  if (found.size() > kMaxSuggestions) found.resize(kMaxSuggestions);
  return found;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> nearest(std::string_view name, std::span<const std::string> names) {
  if (name.size() > kMaxCompared) return {};
  std::vector<std::pair<size_t, std::string>> found;
  for (const std::string& one : names) {
    const bool begun = name.size() >= kMinBeginning && one.starts_with(name);
    const size_t distance = begun ? 1 : edit_distance(name, one);
    if (distance <= std::max<size_t>(1, std::min(name.size(), one.size()) / 3))
      found.emplace_back(distance, one);
  }
  std::ranges::stable_sort(found, {}, &std::pair<size_t, std::string>::first);
  std::vector<std::string> out;
  for (size_t n = 0; n < std::min(found.size(), kMaxSuggestions); ++n)
    out.push_back(std::move(found[n].second));
  return out;
}

std::string unknown_option(const Table& table, const std::string& section, const std::string& key) {
  const std::vector<std::string> names = table.names_in(section);
  std::vector<std::string> meant = nearest(key, names);
  if (meant.empty() && key.size() <= kMaxCompared) meant = elsewhere(table, key);
  const std::string meant_text =
      meant.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(meant, " or "));
  const std::string where = section.empty() ? "here" : "in " + section;
  if (names.size() <= kMaxListed)
    return fmt::format("there is no such option{} Allowed {}: {}",
                       meant_text.empty() ? "." : meant_text, where, fmt::join(names, ", "));
  return fmt::format("there is no such option{} docs/configuration.md lists what is allowed {}",
                     meant_text.empty() ? ";" : meant_text, where);
}

}  // namespace parley::config
