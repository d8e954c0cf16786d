// The sub-commands as values, as the command line gives them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "server/server.h"

namespace parley::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct VersionCommand {
  bool json = false;
};

// `dev` and `serve`.
struct ServeCommand {
  server::ServerOptions options;
  std::string api_key_file;  // holds options.api_key instead; "": none
};

enum class DataKind : uint8_t { kDetect, kJson, kText, kBinary };

struct PublishCommand {
  std::string url;  // of the server, without a slash at its end
  std::string channel;
  std::string data;  // "-": what stdin has
  DataKind kind = DataKind::kDetect;
  std::string event;
  std::string idempotency_key;
};

struct SubscribeCommand {
  std::string url;
  std::vector<std::string> channels;
  std::string since;   // an event id; "": from now on
  uint64_t count = 0;  // 0: for ever
  bool verbose = false;
  bool reconnect = true;
};

using Command = std::variant<VersionCommand, ServeCommand, PublishCommand, SubscribeCommand>;

}  // namespace parley::cli
