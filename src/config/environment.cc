#include "config/environment.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "config/nearest.h"

namespace parley::config {
namespace {

constexpr std::string_view kOwn = "PARLEY_";
constexpr std::string_view kCentrifugo = "CENTRIFUGO_";
// Of the command line, which reads them itself.
constexpr std::array<std::string_view, 2> kOfCommands = {"API_KEY", "URL"};
constexpr std::array<std::string_view, 8> kPermissionWords = {
    "ALLOW", "INSECURE", "ANONYMOUS", "TOKEN", "ORIGINS", "PRIVATE_PREFIX", "REGEX", "NAMESPACES_"};

struct Variable {
  std::string name;  // with its prefix
  std::string value;
};

using Variables = std::map<std::string, Variable>;  // by name without prefix

Place place_of(const Variable& variable) { return {"environment variable " + variable.name, {}}; }

Variables collect(const Environment& environment, Report& problems) {
  Variables out;
  for (const std::string_view prefix : {kCentrifugo, kOwn}) {
    for (const auto& [name, value] : environment) {
      if (!name.starts_with(prefix) || value.empty()) continue;
      const std::string rest = name.substr(prefix.size());
      const bool of_command = prefix == kOwn && std::ranges::count(kOfCommands, rest) > 0;
      if (rest.starts_with("VAR_") || of_command) continue;
      const auto [at, added] = out.try_emplace(rest, Variable{name, value});
      if (added) continue;
      if (at->second.value != value)
        problems.add(place_of({name, value}), {},
                     fmt::format("{} says something else; keep one of the two", at->second.name));
      at->second = {name, value};
    }
  }
  return out;
}

std::map<std::string, const Option*> by_environment_name(const Table& table) {
  std::map<std::string, const Option*> out;
  for (const Option& option : table.options()) out[environment_name(option.path)] = &option;
  return out;
}

const std::map<std::string, const Option*>& names_of(const Table& table) {
  static std::map<const Table*, std::map<std::string, const Option*>> cache;
  auto& names = cache[&table];
  if (names.empty()) names = by_environment_name(table);
  return names;
}

bool is_permission(std::string_view name) {
  return std::ranges::any_of(kPermissionWords, [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

// The variable's option of an element whose name it holds: NAMESPACES_CHAT_HISTORY_SIZE.
bool read_into_element(const std::string& rest, const Variable& variable, const Option& list,
                       SettingsReader& reader, std::vector<Element>& elements, Report& problems) {
  const std::string prefix = environment_name(list.path) + "_";
  if (!rest.starts_with(prefix)) return false;
  const Option* option = nullptr;
  std::vector<size_t> meant;
  for (size_t n = 0; n < elements.size(); ++n) {
    const std::string start = prefix + environment_name(elements[n].name()) + "_";
    if (!rest.starts_with(start)) continue;
    const auto& names = names_of(*list.elements);
    const auto found = names.find(rest.substr(start.size()));
    if (found == names.end()) continue;
    option = found->second;
    meant.push_back(n);
  }
  if (meant.empty()) return false;
  if (meant.size() > 1) {
    problems.add(place_of(variable), {},
                 fmt::format("may mean {} or {}; set this option in a file",
                             element_path(list.path, meant[0]), element_path(list.path, meant[1])));
    return true;
  }
  reader.read_element_text(elements[meant[0]], element_path(list.path, meant[0]), *option,
                           variable.value, place_of(variable));
  return true;
}

void tell_unknown(const std::string& rest, const Variable& variable, Report& problems,
                  Report& warnings) {
  std::vector<std::string> names;
  for (const auto& [name, option] : names_of(root_options())) names.push_back(name);
  auto meant = nearest(rest, names);
  const size_t prefix = variable.name.size() - rest.size();
  for (std::string& one : meant) one.insert(0, variable.name, 0, prefix);
  const bool mistyped =
      is_permission(rest) || (!meant.empty() && is_permission(meant.front().substr(prefix)) &&
                              edit_distance(meant.front(), variable.name) <= 2);
  Report& report = mistyped ? problems : warnings;
  report.add(place_of(variable), {},
             meant.empty() ? "there is no such option"
                           : fmt::format("there is no such option; did you mean {}?",
                                         fmt::join(meant, " or ")));
}

}  // namespace

std::string environment_name(std::string_view path) {
  std::string out(path);
  for (char& c : out)
    c = c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

void read_environment(const Environment& environment, SettingsReader& reader, Layers& layers,
                      Report& problems, Report& warnings) {
  Variables rest;  // that name no option of the root
  for (auto& [name, variable] : collect(environment, problems)) {
    const auto& names = names_of(root_options());
    if (const auto found = names.find(name); found != names.end()) {
      reader.read_text(*found->second, variable.value, place_of(variable));
    } else {
      rest.emplace(name, variable);
    }
  }
  for (const auto& [name, variable] : rest) {
    bool read = false;
    for (const Option& option : root_options().options())
      if (option.elements != nullptr && !read)
        read =
            read_into_element(name, variable, option, reader, layers.lists[option.path], problems);
    if (!read) tell_unknown(name, variable, problems, warnings);
  }
}

}  // namespace parley::config
