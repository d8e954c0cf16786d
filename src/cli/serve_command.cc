#include "cli/serve_command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/result.h"
#include "cli/configuration.h"
#include "server/server.h"

namespace parley::cli {
namespace {

constexpr size_t kMaxKeyBytes = 4096;

Result<std::string> read_key(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  std::string text(kMaxKeyBytes + 1, '\0');
  const size_t got = file ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
  if (!file || std::ferror(file.get()) != 0)
    return fail(fmt::format("the API key file {} cannot be read: {}; is the path right?", path,
                            std::strerror(errno)));
  text.resize(got);
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos || got > kMaxKeyBytes)
    return fail(
        fmt::format("the API key file {} must hold one key of 1 to {} bytes, and nothing else",
                    path, kMaxKeyBytes));
  return text.substr(0, end + 1);
}

// What the command runs with: nothing but flags and defaults for `dev`, which must start anywhere.
std::expected<config::Loaded, std::string> read_all(const ServeCommand& command) {
  ConfigurationSource source = command.source;
  if (command.dev) source.environment = false;
  if (!command.api_key_file.empty()) {
    auto key = read_key(command.api_key_file);
    if (!key) return std::unexpected("parley: " + key.error().message + "\n");
    source.flags.emplace_back("http_api.key", std::move(*key));
  }
  auto loaded = read_configuration(source);
  if (!loaded) return std::unexpected(loaded.error().lines());
  // Without a configuration there is nobody to serve but whoever sits here.
  if (source.file.empty() && loaded->config.http_server.address.empty())
    loaded->config.http_server.address = "127.0.0.1";
  return std::move(*loaded);
}

Result<config::Config> read_again(const ServeCommand& command) {
  auto loaded = read_all(command);
  if (!loaded) return fail(std::move(loaded.error()));
  return std::move(loaded->config);
}

}  // namespace

int run_serve(const ServeCommand& command) {
  auto loaded = read_all(command);
  if (!loaded) {
    fmt::print(stderr, "{}", loaded.error());
    return kExitFailed;
  }
  fmt::print(stderr, "{}", warning_lines(*loaded));
  server::ServerOptions options{
      .dev = command.dev, .echo = command.echo, .config = std::move(loaded->config)};
  if (!command.source.file.empty()) options.reload = [&command] { return read_again(command); };
  return server::run(options);
}

}  // namespace parley::cli
