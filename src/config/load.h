// From the sources to one Config.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"
#include "config/settings.h"

namespace parley::config {

struct File {
  std::string name;  // as problems show it; its extension says how to read it
  std::string text;
};

// What a check outside of this module finds: that a regular expression does not compile, a key
// cannot be read.
struct Finding {
  std::string path;  // "channel.namespaces[0].channel_regex"
  std::string message;
  std::string or_path;  // whose line to name where `path` was left at its default; may be empty
};
using ExtraCheck = std::function<std::vector<Finding>(const Config&)>;

// Later wins: files in their order, the environment, flags.
struct Sources {
  std::vector<File> files;
  Environment environment;
  std::vector<std::pair<std::string, std::string>> flags;  // path, value as in the environment
  std::vector<ExtraCheck> checks;                          // run when nothing else is wrong
};

struct Loaded {
  Config config;
  std::vector<Problem> warnings;  // what is ignored, and what that means
};

// Pure. All problems are collected, up to kMaxProblems.
std::expected<Loaded, std::vector<Problem>> load(const Sources& sources);

// The only IO of this module. Above the size limit of documents the text is cut behind it, so that
// load() says so.
Result<File> read_file(const std::string& path);

}  // namespace parley::config
