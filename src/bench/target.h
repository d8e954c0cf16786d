// Where the load goes.
#pragma once

#include <string>
#include <string_view>

#include <sys/socket.h>

#include "base/result.h"

namespace parley::bench {

struct Target {
  std::string host;  // "example.org:8000", for a Host header
  sockaddr_storage address{};
  socklen_t length = 0;
};

// The host and the port of http://, ws:// or nats:// with a port or the scheme's own; a path is
// ignored. Fails where TLS is asked for: the generator speaks none.
struct HostAndPort {
  std::string host;
  std::string port;
  std::string authority;
};
Result<HostAndPort> parse_target(std::string_view url);

// Asks the name service.
Result<Target> resolve(std::string_view url);

}  // namespace parley::bench
