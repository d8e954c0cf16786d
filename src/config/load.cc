#include "config/load.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "config/environment.h"
#include "config/nearest.h"
#include "config/validate.h"

namespace parley::config {
namespace {

bool has_default(const Setting& setting) {
  const Option& option = *setting.option;
  if (option.type == Type::kMap) return std::get<StringMap>(setting.value).empty();
  if (!option.also_off.empty() && setting.value == Value(std::string(option.also_off))) return true;
  // "0" and "false" are the defaults of numbers and switches that name none.
  return setting.value == *parse_value(option.type, option.fallback);
}

// Puts what is supported into `object`, and tells what is not.
void apply(const Settings& settings, const std::string& path_before, void* object, Report& problems,
           Report& warnings) {
  for (const auto& [path, setting] : settings) {
    const Option& option = *setting.option;
    if (option.status == Status::kSupported) {
      if (object != nullptr) option.field.set(object, setting.value, option.choices);
      continue;
    }
    if (option.status == Status::kIdle || has_default(setting)) continue;
    const std::string value = value_text(setting.value);
    if (option.status == Status::kWarned)
      warnings.add(setting.place, path_before + path, fmt::format("is ignored: {}", option.note));
    else
      problems.add(setting.place, path_before + path,
                   fmt::format("{} is not supported yet, and without it {}; remove it",
                               value.empty() || value.size() > 40 ? "this" : value, option.note));
  }
}

void apply_all(const Layers& layers, Config& config, Report& problems, Report& warnings) {
  apply(layers.root, {}, &config, problems, warnings);
  for (const auto& [list, elements] : layers.lists) {
    const bool namespaces = list == "channel.namespaces";
    for (size_t n = 0; n < elements.size(); ++n) {
      Namespace* object = namespaces ? &config.channel.namespaces.emplace_back() : nullptr;
      apply(elements[n].settings, element_path(list, n) + ".", object, problems, warnings);
    }
  }
}

void inherit(const Channel& channel, const Settings* settings, std::string_view format_path,
             Namespace& options) {
  if (options.history_meta_ttl.count() == 0) options.history_meta_ttl = channel.history_meta_ttl;
  const auto format = settings->find(format_path);
  if (format == settings->end() || std::get<std::string>(format->second.value).empty())
    options.publication_data_format = channel.publication_data_format;
}

void trim(std::string& prefix) {
  while (prefix.size() > 1 && prefix.ends_with('/')) prefix.pop_back();
}

// What follows from the options without being one of them.
void complete(const Layers& layers, Config& config) {
  Channel& channel = config.channel;
  inherit(channel, &layers.root, "channel.without_namespace.publication_data_format",
          channel.without_namespace);
  for (size_t n = 0; n < channel.namespaces.size(); ++n)
    inherit(channel, &layers.lists.find("channel.namespaces")->second[n].settings,
            "publication_data_format", channel.namespaces[n]);
  for (std::string* prefix : {&config.http_api.handler_prefix, &config.websocket.handler_prefix,
                              &config.event_stream.handler_prefix, &config.pub.handler_prefix,
                              &config.prometheus.handler_prefix, &config.health.handler_prefix})
    trim(*prefix);
}

void read_flags(const Sources& sources, SettingsReader& reader, Report& problems) {
  for (const auto& [path, value] : sources.flags) {
    if (const Option* option = root_options().find(path)) {
      reader.read_text(*option, value, {"command line", {}});
      continue;
    }
    const size_t dot = path.rfind('.');
    std::string section = dot == std::string::npos ? "" : path.substr(0, dot);
    if (!root_options().has_section(section)) section.clear();
    problems.add(
        {"command line", {}}, path,
        unknown_option(root_options(), section, section.empty() ? path : path.substr(dot + 1)));
  }
}

}  // namespace

std::expected<Loaded, std::vector<Problem>> load(const Sources& sources) {
  Report problems;
  Report warnings;
  Layers layers;
  SettingsReader reader(layers, sources.environment, problems);
  for (const File& file : sources.files) reader.read_file(file.name, file.text);
  read_environment(sources.environment, reader, layers, problems, warnings);
  read_flags(sources, reader, problems);

  // What could not be read would look as if it were missing.
  const bool complete_input = problems.empty();
  Loaded loaded;
  apply_all(layers, loaded.config, problems, warnings);
  complete(layers, loaded.config);
  const auto tell = [&](const Finding& finding) {
    const bool other = layers.find(finding.path) == nullptr && !finding.or_path.empty();
    problems.add(layers.place_of(other ? finding.or_path : finding.path), finding.path,
                 finding.message);
  };
  if (complete_input)
    for (const Finding& finding : validate(loaded.config)) tell(finding);
  if (problems.empty())
    for (const ExtraCheck& check : sources.checks)
      for (const Finding& finding : check(loaded.config)) tell(finding);
  if (!problems.empty()) return std::unexpected(problems.take());
  loaded.config.warnings = insecure_modes(loaded.config);
  loaded.warnings = warnings.take();
  return loaded;
}

Result<File> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return fail(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  std::string text(DocumentLimits{}.bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0)
    return fail(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  return File{path, std::move(text)};
}

}  // namespace parley::config
