#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"

namespace parley::cli {
namespace {

using Rows = std::vector<CommandRow>;

// The first words of a text, up to where its first sentence or clause ends.
std::string gist(const std::string& text) {
  const size_t end = text.find_first_of(".:;\n[(");
  std::string words = text.substr(0, end);
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

std::string names_of(const Rows& commands) {
  std::vector<std::string_view> names;
  for (const CommandRow& command : commands) names.push_back(command.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// --- bash

constexpr std::string_view kBashStart =
    R"(# Completion of parley for bash. To load it: source <(parley completion bash)
_parley() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local words='' files=0
  # bash takes --option=value apart at the equals sign.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
)";
constexpr std::string_view kBashEnd = R"(  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  elif (( files )); then
    compopt -o filenames 2>/dev/null || :
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _parley parley
)";

// What stands behind an option that wants a value, or is an argument.
std::string bash_value(const OptionRow& row) {
  if (row.takes == Takes::kFile) return "files=1";
  if (row.takes == Takes::kOneOf) return fmt::format("words='{}'", fmt::join(row.choices, " "));
  return ":";
}

void append_bash(const Rows& commands, std::string& out) {
  out += kBashStart;
  out += "  if (( COMP_CWORD == 1 )); then\n";
  out += "    words='" + names_of(commands) + " --help --version'\n";
  out += "  else\n    case \"$command $before\" in\n";
  for (const CommandRow& command : commands)
    for (const OptionRow& option : command.options) {
      if (option.takes == Takes::kNothing) continue;
      std::vector<std::string> patterns;
      patterns.reserve(option.names.size());
      for (const std::string& name : option.names)
        patterns.push_back(fmt::format("'{} {}'", command.name, name));
      out += fmt::format("      {}) {} ;;\n", fmt::join(patterns, "|"), bash_value(option));
    }
  out += "      *)\n        case \"$command\" in\n";
  for (const CommandRow& command : commands) {
    std::vector<std::string> names;
    for (const OptionRow& option : command.options)
      names.insert(names.end(), option.names.begin(), option.names.end());
    const std::string argument =
        command.arguments.empty() ? ":" : bash_value(command.arguments.front());
    out += fmt::format("          {}) if [[ $cur == -* ]]; then words='{}'; else {}; fi ;;\n",
                       command.name, fmt::join(names, " "), argument);
  }
  out += "        esac ;;\n    esac\n  fi\n";
  out += kBashEnd;
}

// --- zsh

// For single quotes, and for the brackets and colons that _arguments takes apart.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == ':' || c == '[' || c == ']') {
      out += std::string("\\") + c;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string zsh_value(const OptionRow& row) {
  const std::string what = row.names.empty() ? zsh_text(gist(row.what)) : "value";
  if (row.takes == Takes::kFile) return ":" + what + ":_files";
  if (row.takes == Takes::kOneOf) return fmt::format(":{}:({})", what, fmt::join(row.choices, " "));
  return row.takes == Takes::kAnything ? ":" + what + ": " : "";
}

void append_zsh(const Rows& commands, std::string& out) {
  out +=
      "#compdef parley\n# Completion of parley for zsh. To load it: "
      "parley completion zsh >\"${fpath[1]}/_parley\"\n_parley() {\n";
  out += "  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CommandRow& command : commands)
    out += fmt::format("      '{}:{}'\n", command.name, zsh_text(gist(command.what)));
  out += "    )\n    _describe command commands\n    return\n  fi\n";
  out += "  local command=${words[2]}\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const CommandRow& command : commands) {
    out += fmt::format("    {})\n      _arguments", command.name);
    for (const OptionRow& option : command.options)
      for (const std::string& name : option.names) {
        const bool joins = option.takes != Takes::kNothing;
        const char* sign = !joins ? "" : name.starts_with("--") ? "=" : "+";
        out += fmt::format(" \\\n        '{}{}[{}]{}'", name, sign, zsh_text(gist(option.what)),
                           zsh_value(option));
      }
    for (const OptionRow& argument : command.arguments)
      out += fmt::format(" \\\n        '{}{}'", &argument == &command.arguments.back() ? "*" : "",
                         zsh_value(argument));
    out += "\n      ;;\n";
  }
  out += "  esac\n}\n";
  out +=
      "if [[ ${funcstack[1]} == _parley ]]; then _parley \"$@\"; else compdef _parley parley; "
      "fi\n";
}

// --- fish

std::string fish_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string fish_value(const OptionRow& row, const char* required) {
  if (row.takes == Takes::kFile) return std::string(required) + " -F";
  if (row.takes == Takes::kOneOf) return fmt::format(" -x -a '{}'", fmt::join(row.choices, " "));
  return row.takes == Takes::kAnything ? " -x" : "";
}

void append_fish(const Rows& commands, std::string& out) {
  out +=
      "# Completion of parley for fish. To load it: "
      "parley completion fish >~/.config/fish/completions/parley.fish\ncomplete -c parley -f\n";
  for (const CommandRow& command : commands)
    out += fmt::format("complete -c parley -n __fish_use_subcommand -a {} -d '{}'\n", command.name,
                       fish_text(gist(command.what)));
  for (const CommandRow& command : commands) {
    const std::string begin =
        fmt::format("complete -c parley -n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionRow& option : command.options) {
      out += begin;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += fmt::format("{} -d '{}'\n", fish_value(option, " -r"), fish_text(gist(option.what)));
    }
    for (const OptionRow& argument : command.arguments)
      if (argument.takes != Takes::kAnything) out += begin + fish_value(argument, "") + "\n";
  }
}

}  // namespace

const std::vector<std::string>& shell_names() {
  static const std::vector<std::string> names = {"bash", "zsh", "fish"};
  return names;
}

std::string completion_script(std::string_view shell, const std::vector<CommandRow>& commands) {
  std::string out;
  if (shell == "bash") {
    append_bash(commands, out);
  } else if (shell == "zsh") {
    append_zsh(commands, out);
  } else {
    CHECK(shell == "fish");
    append_fish(commands, out);
  }
  return out;
}

}  // namespace parley::cli
