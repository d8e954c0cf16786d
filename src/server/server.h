// Runs a whole server: configuration in, exit status out.
#pragma once

#include <functional>

#include "base/result.h"
#include "config/config.h"

namespace parley::server {

struct ServerOptions {
  // Everything is allowed, whatever the configuration says of channels and clients; refused on any
  // address but loopback.
  bool dev = false;
  bool echo = false;  // with `dev`: there is a WebSocket /echo, for conformance suites
  config::Config config;
  // Reads the configuration again, for SIGHUP. Null: there is nothing to read.
  std::function<Result<config::Config>()> reload;
};

// Runs until SIGTERM or SIGINT, then tells the clients, closes, and returns 0. On SIGHUP channels,
// permissions and token keys change to what the configuration says now; if that cannot be used,
// everything stays as it was. Returns 1, after one clear sentence on stderr, when the server cannot
// start.
int run(const ServerOptions& options);

}  // namespace parley::server
