// What the sources say, option by option, each with the place that said it last.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/options.h"

namespace parley::config {

struct Setting {
  const Option* option = nullptr;
  Value value;
  Place place;
};

using Settings = std::map<std::string, Setting, std::less<>>;  // by path

// One namespace, proxy or consumer.
struct Element {
  Place place;
  Settings settings;

  std::string name() const;  // "" without one
};

struct Layers {
  Settings root;
  std::map<std::string, std::vector<Element>, std::less<>> lists;  // by the list's path

  // What was said about "channel.namespaces[0].history_ttl"; nullptr: nothing.
  const Setting* find(const std::string& path) const;
  // Where it was said; or else the place of the list's element that it is in, or the first place
  // where a section of this name says something.
  Place place_of(const std::string& path) const;
};

// "channel.namespaces[0]".
std::string element_path(std::string_view list, size_t index);

using Environment = std::map<std::string, std::string>;

// What: reads sources into Layers, later ones over earlier ones. Owner: load(), on its stack.
// Failure: problems go to the report, the rest is read on.
class SettingsReader {
 public:
  // `environment` is where ${CENTRIFUGO_VAR_X} is looked up.
  SettingsReader(Layers& layers, const Environment& environment, Report& report)
      : layers_(layers), environment_(environment), report_(report) {}

  void read_file(const std::string& name, ByteView text);
  // One option from a text: of the environment, or of a flag.
  void read_text(const Option& option, const std::string& text, const Place& place);
  // ... of one element of a list.
  void read_element_text(Element& element, const std::string& path, const Option& option,
                         const std::string& text, const Place& place);

 private:
  void read_map(const DocumentNode& node, const Table& table, const std::string& section,
                const std::string& path_before, Settings& out);
  void read_option(const DocumentNode& node, const Option& option, const std::string& path,
                   Settings& out);
  void read_list(const DocumentNode& node, const Option& option, const std::string& path);
  void read_names(const Option& option, const std::string& text, const Place& place);
  std::optional<Value> text_value(const Option& option, const std::string& path,
                                  const std::string& text, const Place& place);
  bool check(const Option& option, const Value& value, const Place& place, const std::string& path);
  std::expected<Value, std::string> scalar(const Option& option, const DocumentNode& node) const;
  std::expected<Value, std::string> strings(const DocumentNode& node) const;
  std::expected<Value, std::string> map(const DocumentNode& node) const;
  std::expected<std::string, std::string> expand(std::string text) const;

  Layers& layers_;
  const Environment& environment_;
  Report& report_;
  std::string source_;  // of the document that is being read
};

}  // namespace parley::config
