// Runs a whole server: configuration in, exit status out.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"

namespace parley::server {

struct ServerOptions {
  bool dev = false;  // everything is allowed; refused on any address but loopback
  std::string listen_host = "127.0.0.1";
  uint16_t listen_port = 8000;
  unsigned shards = 0;  // 0: one per core
  std::string api_key;  // of the server API; "": the API refuses everyone (dev needs none)
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kConsole;
};

// Runs until SIGTERM or SIGINT, then tells the clients, closes, and returns 0. Returns 1, after one
// clear sentence on stderr, when the server cannot start.
int run(const ServerOptions& options);

}  // namespace parley::server
