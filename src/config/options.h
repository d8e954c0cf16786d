// The table of all options: what Parley reads, and what it knows of Centrifugo's.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/field.h"
#include "config/value.h"

namespace parley::config {

class Table;

// The rule is docs/adr/0011-configuration.md.
enum class Status : uint8_t {
  kSupported,
  kWarned,   // not there yet; ignoring it widens nothing and loses nothing: a warning
  kRefused,  // not there yet, and ignoring it could: no start unless it has its default
  kIdle,     // says more about another option that is warned about or refused: ignored
};

enum class Source : uint8_t { kCentrifugo, kPro, kParley };

struct Option {
  std::string path;  // "client.token.audience"
  Type type = Type::kString;
  std::string fallback;  // the default in the form of parse_value()
  Status status = Status::kSupported;
  Source source = Source::kCentrifugo;
  std::string note;                 // kSupported: what it does; otherwise: what happens without it
  std::span<const Choice> choices;  // the words it takes; empty: any
  std::string_view also_off;        // kRefused: a value that is as good as the default
  const Table* elements = nullptr;  // kObjects: the options of one; nullptr: not looked at
  Field field;                      // kSupported

  Option& in_pro() {
    source = Source::kPro;
    return *this;
  }
  Option& of_parley() {
    source = Source::kParley;
    return *this;
  }
  Option& one_of(std::span<const Choice> words) {
    choices = words;
    return *this;
  }
  Option& off_at(std::string_view value) {
    also_off = value;
    return *this;
  }
};

// What: the options of one kind of object, by path. Immutable; the three below live for ever.
class Table {
 public:
  explicit Table(std::vector<Option> options);

  const std::vector<Option>& options() const { return options_; }  // sorted by path
  const Option* find(std::string_view path) const;
  // Whether options begin with `path` and a dot.
  bool has_section(std::string_view path) const;
  // What may stand in a section ("" is the top): option and section names, sorted, each once.
  std::vector<std::string> names_in(std::string_view section) const;

 private:
  std::vector<Option> options_;
};

const Table& root_options();       // of Config
const Table& namespace_options();  // of Namespace

}  // namespace parley::config
