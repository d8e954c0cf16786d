#include "config/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/nearest.h"

namespace parley::config {
namespace {

constexpr std::string_view kVariable = "${CENTRIFUGO_VAR_";
constexpr std::string_view kOwnVariable = "${PARLEY_VAR_";

// Never the value itself: where it stands is told anyway, and it may be a secret.
std::string shown(const DocumentNode& node) { return std::string(kind_name(node.kind)); }

std::string wanted(const Option& option, const DocumentNode& node) {
  return fmt::format("must be {}, not {}", type_name(option.type), shown(node));
}

}  // namespace

std::string element_path(std::string_view list, size_t index) {
  return fmt::format("{}[{}]", list, index);
}

std::string Element::name() const {
  const auto at = settings.find("name");
  return at == settings.end() ? std::string() : std::get<std::string>(at->second.value);
}

const Setting* Layers::find(const std::string& path) const {
  if (const auto at = root.find(path); at != root.end()) return &at->second;
  for (const auto& [list, elements] : lists) {
    for (size_t n = 0; n < elements.size(); ++n) {
      const std::string prefix = element_path(list, n) + ".";
      if (!path.starts_with(prefix)) continue;
      const auto at = elements[n].settings.find(path.substr(prefix.size()));
      return at != elements[n].settings.end() ? &at->second : nullptr;
    }
  }
  return nullptr;
}

Place Layers::place_of(const std::string& path) const {
  if (const Setting* setting = find(path)) return setting->place;
  for (const auto& [list, elements] : lists)
    for (size_t n = 0; n < elements.size(); ++n)
      if ((path + ".").starts_with(element_path(list, n) + ".")) return elements[n].place;
  const Place* first = nullptr;
  for (auto at = root.lower_bound(path + "."); at != root.end(); ++at) {
    if (!at->first.starts_with(path + ".")) break;
    if (first == nullptr || at->second.place.at < first->at) first = &at->second.place;
  }
  return first == nullptr ? Place{} : *first;
}

void SettingsReader::read_file(const std::string& name, ByteView text) {
  // Half-written or cut off: the defaults would not be meant.
  if (text.find_first_not_of(" \t\r\n") == text.npos)
    return report_.add({name, {1, 1}}, {}, "the file is empty; leave it out for the defaults");
  auto document = read_document(name, text);
  if (!document) {
    for (Problem& problem : document.error()) report_.add(std::move(problem));
    return;
  }
  if (document->kind != DocumentNode::Kind::kMap)
    return report_.add(
        {name, document->at}, {},
        fmt::format("a configuration is a map of sections, not {}", shown(*document)));
  source_ = name;
  read_map(*document, root_options(), {}, {}, layers_.root);
}

void SettingsReader::read_map(const DocumentNode& node, const Table& table,
                              const std::string& section, const std::string& path_before,
                              Settings& out) {
  for (const Member& member : node.members) {
    const std::string inner = section.empty() ? member.key : section + "." + member.key;
    const std::string path = path_before + inner;
    if (member.key.find('.') != std::string::npos) {
      report_.add({source_, member.at}, path, "has dots; write its sections one inside the other");
    } else if (const Option* option = table.find(inner)) {
      read_option(member.value, *option, path, out);
    } else if (!table.has_section(inner)) {
      // Looking for what was meant takes its time; beyond the report's limit nobody reads it.
      std::string words = report_.full() ? "" : unknown_option(table, section, member.key);
      report_.add({source_, member.at}, path, std::move(words));
    } else if (member.value.kind == DocumentNode::Kind::kMap) {
      read_map(member.value, table, inner, path_before, out);
    } else if (member.value.kind != DocumentNode::Kind::kNull) {
      report_.add(
          {source_, member.value.at}, path,
          fmt::format("is a section, so it must be a map of options, not {}", shown(member.value)));
    }
  }
}

void SettingsReader::read_option(const DocumentNode& node, const Option& option,
                                 const std::string& path, Settings& out) {
  const Place place{source_, node.at};
  if (node.kind == DocumentNode::Kind::kNull)
    return report_.add(
        place, path, fmt::format("has no value; remove it, or give it {}", type_name(option.type)));
  if (option.type == Type::kObjects) return read_list(node, option, path);
  auto value = option.type == Type::kStrings ? strings(node)
               : option.type == Type::kMap   ? map(node)
                                             : scalar(option, node);
  if (!value) return report_.add(place, path, std::move(value.error()));
  if (check(option, *value, place, path)) out[option.path] = {&option, std::move(*value), place};
}

void SettingsReader::read_list(const DocumentNode& node, const Option& option,
                               const std::string& path) {
  if (node.kind != DocumentNode::Kind::kList)
    return report_.add({source_, node.at}, path, wanted(option, node));
  if (option.elements == nullptr) return;
  std::vector<Element> elements;
  for (size_t n = 0; n < node.items.size(); ++n) {
    const DocumentNode& item = node.items[n];
    const std::string prefix = element_path(path, n);
    if (item.kind != DocumentNode::Kind::kMap) {
      report_.add({source_, item.at}, prefix,
                  fmt::format("must be a map of options, not {}", shown(item)));
      continue;
    }
    Element& element = elements.emplace_back();
    element.place = {source_, item.at};
    read_map(item, *option.elements, {}, prefix + ".", element.settings);
  }
  layers_.lists[option.path] = std::move(elements);
}

std::expected<Value, std::string> SettingsReader::scalar(const Option& option,
                                                         const DocumentNode& node) const {
  using Kind = DocumentNode::Kind;
  const bool number = node.kind == Kind::kInt || node.kind == Kind::kFloat;
  switch (option.type) {
    case Type::kBool:
      if (node.kind == Kind::kBool) return node.text == "true";
      if (node.kind == Kind::kString)
        return std::unexpected(wanted(option, node) + ", without quotes");
      break;
    case Type::kInt:
      if (node.kind == Kind::kInt) return parse_int(node.text);
      if (node.kind == Kind::kString)
        return std::unexpected(wanted(option, node) + ", without quotes");
      break;
    case Type::kDuration:
      if (number || node.kind == Kind::kString) return parse_duration(node.text);
      break;
    default:
      if (node.kind == Kind::kString) return node.text;
      if (number || node.kind == Kind::kBool)
        return std::unexpected("must be a string; put it in quotes");
  }
  return std::unexpected(wanted(option, node));
}

std::expected<Value, std::string> SettingsReader::strings(const DocumentNode& node) const {
  if (node.kind == DocumentNode::Kind::kString)
    return std::unexpected(fmt::format("must be a list of strings; write [\"{}\"]", node.text));
  if (node.kind != DocumentNode::Kind::kList)
    return std::unexpected(fmt::format("must be a list of strings, not {}", shown(node)));
  Strings out;
  for (const DocumentNode& item : node.items) {
    if (item.kind != DocumentNode::Kind::kString)
      return std::unexpected(fmt::format("must be a list of strings; its item in line {} is {}",
                                         item.at.line, shown(item)));
    out.push_back(item.text);
  }
  return out;
}

std::expected<Value, std::string> SettingsReader::map(const DocumentNode& node) const {
  if (node.kind != DocumentNode::Kind::kMap)
    return std::unexpected(fmt::format("must be a map of strings, not {}", shown(node)));
  StringMap out;
  for (const Member& member : node.members) {
    if (member.value.kind != DocumentNode::Kind::kString)
      return std::unexpected(
          fmt::format("must be a map of strings; put the value of {} in quotes", member.key));
    auto text = expand(member.value.text);
    if (!text) return std::unexpected(std::move(text.error()));
    out[member.key] = std::move(*text);
  }
  return out;
}

std::expected<std::string, std::string> SettingsReader::expand(std::string text) const {
  size_t from = 0;
  while ((from = text.find("${", from)) != std::string::npos) {
    const std::string_view rest = std::string_view(text).substr(from);
    const size_t end = rest.find('}');
    const bool ours = rest.starts_with(kVariable) || rest.starts_with(kOwnVariable);
    if (!ours || end == std::string_view::npos) {
      from += 2;
      continue;
    }
    const std::string name(rest.substr(2, end - 2));
    const auto variable = environment_.find(name);
    if (variable == environment_.end())
      return std::unexpected(fmt::format("uses {}, which the environment does not have", name));
    text.replace(from, end + 1, variable->second);
    from += variable->second.size();
  }
  return text;
}

bool SettingsReader::check(const Option& option, const Value& value, const Place& place,
                           const std::string& path) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    if (*number < 0 && !(option.field.set != nullptr && option.field.is_signed)) {
      report_.add(place, path, fmt::format("{} is below 0", *number));
      return false;
    }
    if (*number > option.field.max) {
      report_.add(place, path,
                  fmt::format("{} is too large; at most {}", *number, option.field.max));
      return false;
    }
  }
  const auto* word = std::get_if<std::string>(&value);
  if (word == nullptr || option.choices.empty()) return true;
  if (std::ranges::find(option.choices, *word, &Choice::word) != option.choices.end()) return true;
  std::vector<std::string> words;
  for (const Choice& choice : option.choices)
    if (!choice.word.empty()) words.emplace_back(choice.word);
  report_.add(place, path, fmt::format("\"{}\" is not one of {}", *word, fmt::join(words, ", ")));
  return false;
}

std::optional<Value> SettingsReader::text_value(const Option& option, const std::string& path,
                                                const std::string& text, const Place& place) {
  std::expected<Value, std::string> value;
  if (option.type == Type::kMap) {
    auto node = read_json(place.source, text);
    if (!node) {
      for (Problem& problem : node.error())
        report_.add(std::move(problem.place), path, std::move(problem.message));
      return std::nullopt;
    }
    value = map(*node);
  } else {
    value = parse_value(option.type, text);
  }
  if (!value) {
    report_.add(place, path, std::move(value.error()));
    return std::nullopt;
  }
  if (!check(option, *value, place, path)) return std::nullopt;
  return std::move(*value);
}

void SettingsReader::read_text(const Option& option, const std::string& text, const Place& place) {
  if (option.type != Type::kObjects) {
    if (auto value = text_value(option, option.path, text, place))
      layers_.root[option.path] = {&option, std::move(*value), place};
    return;
  }
  if (!text.starts_with('[') && option.elements != nullptr) return read_names(option, text, place);
  auto node = read_json(place.source, text);
  if (!node) {
    for (Problem& problem : node.error())
      report_.add(std::move(problem.place), option.path, std::move(problem.message));
    return;
  }
  source_ = place.source;
  read_list(*node, option, option.path);
}

void SettingsReader::read_names(const Option& option, const std::string& text, const Place& place) {
  const Option* name = option.elements->find("name");
  std::vector<Element> elements;
  const Value names = *parse_value(Type::kStrings, text);
  for (const std::string& one : std::get<Strings>(names))
    elements.push_back({place, {{"name", {name, one, place}}}});
  layers_.lists[option.path] = std::move(elements);
}

void SettingsReader::read_element_text(Element& element, const std::string& path,
                                       const Option& option, const std::string& text,
                                       const Place& place) {
  if (option.type == Type::kObjects) return;
  if (auto value = text_value(option, path + "." + option.path, text, place))
    element.settings[option.path] = {&option, std::move(*value), place};
}

}  // namespace parley::config
