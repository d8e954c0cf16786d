#include "config/options.h"

#include <algorithm>

#include "base/check.h"
#include "config/option_rows.h"

namespace parley::config {

Table::Table(std::vector<Option> options) : options_(std::move(options)) {
  std::ranges::sort(options_, {}, &Option::path);
  const auto twin = std::ranges::adjacent_find(options_, {}, &Option::path);
  CHECK(twin == options_.end());
}

const Option* Table::find(std::string_view path) const {
  const auto at = std::ranges::lower_bound(options_, path, {}, &Option::path);
  return at != options_.end() && at->path == path ? &*at : nullptr;
}

bool Table::has_section(std::string_view path) const {
  const std::string prefix = std::string(path) + ".";
  const auto at = std::ranges::lower_bound(options_, prefix, {}, &Option::path);
  return at != options_.end() && at->path.starts_with(prefix);
}

std::vector<std::string> Table::names_in(std::string_view section) const {
  const std::string prefix = section.empty() ? "" : std::string(section) + ".";
  std::vector<std::string> names;
  for (const Option& option : options_) {
    if (!option.path.starts_with(prefix)) continue;
    const std::string rest = option.path.substr(prefix.size());
    std::string name = rest.substr(0, rest.find('.'));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  const auto doubles = std::ranges::unique(names);
  names.erase(doubles.begin(), doubles.end());
  return names;
}

const Table& root_options() {
  static const Table table([] {
    std::vector<Option> options;
    add_server_rows(options);
    add_client_rows(options);
    add_channel_rows(options);
    add_door_rows(options);
    add_engine_rows(options);
    add_proxy_rows(options);
    return options;
  }());
  return table;
}

const Table& namespace_options() {
  static const Table table([] {
    std::vector<Option> options;
    add_namespace_rows(options);
    return options;
  }());
  return table;
}

}  // namespace parley::config
