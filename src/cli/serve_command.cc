#include "cli/serve_command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/result.h"

namespace parley::cli {
namespace {

constexpr size_t kMaxKeyBytes = 4096;

Result<std::string> read_key(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  std::string text(kMaxKeyBytes + 1, '\0');
  const size_t got = file ? std::fread(text.data(), 1, text.size(), file.get()) : 0;
  if (!file || std::ferror(file.get()) != 0)
    return fail(fmt::format("the API key file {} cannot be read: {}", path, std::strerror(errno)));
  text.resize(got);
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos || got > kMaxKeyBytes)
    return fail(
        fmt::format("the API key file {} must hold one key of 1 to {} bytes, and nothing else",
                    path, kMaxKeyBytes));
  return text.substr(0, end + 1);
}

}  // namespace

int run_serve(const ServeCommand& command) {
  server::ServerOptions options = command.options;
  if (!command.api_key_file.empty()) {
    auto key = read_key(command.api_key_file);
    if (!key) {
      fmt::print(stderr, "parley: {}\n", key.error().message);
      return 1;
    }
    options.api_key = std::move(*key);
  }
  return server::run(options);
}

}  // namespace parley::cli
