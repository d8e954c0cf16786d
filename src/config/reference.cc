#include "config/reference.h"

#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/options.h"

namespace parley::config {
namespace {

constexpr std::string_view kWithoutNamespace = "channel.without_namespace.";

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t dot = path.find('.');
    out.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    path.remove_prefix(dot + 1);
  }
}

std::string yaml_value(const Option& option) {
  switch (option.type) {
    case Type::kObjects:
    case Type::kStrings:
      return "[]";
    case Type::kString:
      return "\"" + option.fallback + "\"";
    default:
      return option.fallback;
  }
}

std::string section_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string shown_default(const Option& option) {
  if (option.type == Type::kObjects || option.type == Type::kStrings)
    return option.fallback.empty() ? "`[]`" : "`[" + option.fallback + "]`";
  if (option.type == Type::kMap) return "`{}`";
  return option.fallback.empty() ? "`\"\"`" : "`" + option.fallback + "`";
}

std::string shown_note(const Option& option) {
  std::string out = option.note;
  if (option.source == Source::kParley) out += " *Parley's own.*";
  if (option.source == Source::kPro)
    out += option.status == Status::kSupported ? " *Paid in Centrifugo.*" : " *(Centrifugo PRO)*";
  return out;
}

// Rows of what is supported, a table per section.
void append_supported(std::string& out, const Table& table, std::string_view skipped) {
  std::string section = "-";
  for (const Option& option : table.options()) {
    if (option.status != Status::kSupported) continue;
    if (!skipped.empty() && option.path.starts_with(skipped)) continue;
    const std::string above = section_of(option.path);
    if (above != section) {
      section = above;
      out += "\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n";
    }
    std::string_view type = type_name(option.type);
    type = type.substr(0, type.find(" such"));
    out += fmt::format("| `{}` | {} | {} | {} |\n", option.path, type, shown_default(option),
                       shown_note(option));
  }
}

void append_missing(std::string& out, const Table& table, Status status) {
  const bool namespaces = &table == &namespace_options();
  for (const Option& option : table.options()) {
    if (option.status != status || option.path.starts_with(kWithoutNamespace)) continue;
    out += fmt::format("| `{}{}` | {} | {} |\n", namespaces ? "channel.namespaces[]." : "",
                       option.path, shown_default(option), shown_note(option));
  }
  for (const Option& option : table.options())
    if (option.elements != nullptr && option.elements != &namespace_options() && !namespaces)
      for (const Option& inner : option.elements->options())
        if (inner.status == status)
          out += fmt::format("| `{}[].{}` | {} | {} |\n", option.path, inner.path,
                             shown_default(inner), shown_note(inner));
}

// Idle options, a row per section and reason.
void append_idle(std::string& out, const Table& table, const std::string& before) {
  std::map<std::pair<std::string, std::string>, std::string> groups;
  for (const Option& option : table.options()) {
    if (option.status != Status::kIdle || option.path.starts_with(kWithoutNamespace)) continue;
    const std::string section = section_of(option.path);
    std::string& names = groups[{section, option.note}];
    const std::string name = section.empty() ? option.path : option.path.substr(section.size() + 1);
    names += names.empty() ? name : ", " + name;
  }
  for (const auto& [where, names] : groups) {
    std::string section = before + where.first;
    if (section.ends_with('.')) section.pop_back();
    out += fmt::format("| `{}` | {} | {} |\n", section.empty() ? "(top)" : section, names,
                       where.second);
  }
  for (const Option& option : table.options())
    if (option.elements != nullptr) append_idle(out, *option.elements, option.path + "[].");
}

}  // namespace

std::string render_defaults() {
  std::string out =
      "# All options of Parley with their defaults. docs/configuration.md has more.\n"
      "# A namespace in channel.namespaces has a `name` and the options of "
      "channel.without_namespace.\n";
  std::vector<std::string_view> open;
  for (const Option& option : root_options().options()) {
    if (option.status != Status::kSupported) continue;
    const auto path = segments(option.path);
    size_t same = 0;
    while (same + 1 < path.size() && same < open.size() && open[same] == path[same]) ++same;
    for (size_t n = same; n + 1 < path.size(); ++n)
      out += fmt::format("{}{}{}:\n", n == 0 ? "\n" : "", std::string(2 * n, ' '), path[n]);
    open.assign(path.begin(), path.end() - 1);
    const std::string indent(2 * open.size(), ' ');
    out += fmt::format("{}{}# {}\n{}{}: {}\n", open.empty() ? "\n" : "", indent, option.note,
                       indent, path.back(), yaml_value(option));
  }
  return out;
}

std::string render_reference() {
  std::string out = "## Options\n";
  append_supported(out, root_options(), kWithoutNamespace);
  out +=
      "\n## Options of a namespace\n\nOf each of `channel.namespaces`, and, without `name`, of "
      "`channel.without_namespace`.\n";
  append_supported(out, namespace_options(), {});
  out +=
      "\n## Refused unless at their default\n\nNot there yet, and without them:\n\n"
      "| option | default | what would happen |\n| --- | --- | --- |\n";
  append_missing(out, root_options(), Status::kRefused);
  append_missing(out, namespace_options(), Status::kRefused);
  out +=
      "\n## Ignored with a warning\n\nNot there yet, and nothing is lost or opened without "
      "them:\n\n| option | default | what happens |\n| --- | --- | --- |\n";
  append_missing(out, root_options(), Status::kWarned);
  append_missing(out, namespace_options(), Status::kWarned);
  out +=
      "\n## Without effect\n\nThey say more about another option, which is refused or warned "
      "about. Their types are checked.\n\n| section | options | why |\n| --- | --- | --- |\n";
  append_idle(out, root_options(), "");
  return out;
}

}  // namespace parley::config
