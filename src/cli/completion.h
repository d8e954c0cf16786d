// Scripts that complete a command line of `parley` in a shell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::cli {

enum class Takes : uint8_t { kNothing, kAnything, kFile, kOneOf };

// An option, or an argument that has no names.
struct OptionRow {
  std::vector<std::string> names;  // "--config", "-c"
  std::string what;                // for people
  Takes takes = Takes::kNothing;
  std::vector<std::string> choices = {};  // with kOneOf
};

struct CommandRow {
  std::string name;
  std::string what;
  std::vector<OptionRow> options = {};
  std::vector<OptionRow> arguments = {};  // in their order; the last one may be repeated
};

// "bash", "zsh", "fish".
const std::vector<std::string>& shell_names();

// The whole script, for one of shell_names().
std::string completion_script(std::string_view shell, const std::vector<CommandRow>& commands);

}  // namespace parley::cli
