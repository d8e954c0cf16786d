// The sub-commands as values, as the command line gives them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bench/plan.h"

namespace parley::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct VersionCommand {
  bool json = false;
};

// Where a configuration comes from; later wins.
struct ConfigurationSource {
  std::string file;         // "": none
  bool environment = true;  // PARLEY_... and CENTRIFUGO_... variables
  std::vector<std::pair<std::string, std::string>> flags;  // option's path, value
};

// `dev` and `serve`.
struct ServeCommand {
  bool dev = false;
  bool echo = false;
  ConfigurationSource source;
  std::string api_key_file;  // holds http_api.key; "": none
};

struct CheckCommand {
  ConfigurationSource source;
  bool json = false;
};

struct TokenCommand {
  ConfigurationSource source;  // has the key
  std::string user;            // "": anonymous
  std::string channel;         // "": a connection token
  int64_t ttl = 0;             // seconds; 0: for ever
  bool json = false;
};

enum class DataKind : uint8_t { kDetect, kJson, kText, kBinary };

struct PublishCommand {
  std::string url;  // of the server, without a slash at its end
  std::string channel;
  std::string data;  // "-": what stdin has
  DataKind kind = DataKind::kDetect;
  std::string event;
  std::string idempotency_key;
  bool json = false;  // what is printed; `kind` is that of the data
};

struct SubscribeCommand {
  std::string url;
  std::vector<std::string> channels;
  std::string since;   // an event id; "": from now on
  uint64_t count = 0;  // 0: for ever
  bool verbose = false;
  bool json = false;
  bool reconnect = true;
};

struct BenchCommand {
  bench::Request request;
  bool json = false;
};

struct CompletionCommand {
  std::string script;  // to print
};

using Command = std::variant<VersionCommand, ServeCommand, CheckCommand, TokenCommand,
                             PublishCommand, SubscribeCommand, BenchCommand, CompletionCommand>;

}  // namespace parley::cli
