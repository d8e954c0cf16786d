// What of the configuration clients' sockets inherit.
#pragma once

#include <algorithm>

#include "config/config.h"
#include "io/listener.h"

namespace parley::server {

// Where all come back at once, as many as the system lets wait (net.core.somaxconn).
constexpr int kBacklog = 65'535;

// A peer that confirms nothing is given up no later than one that is silent: after a ping and the
// time for its answer.
inline io::ListenOptions listen_options(const config::Client& client) {
  io::ListenOptions options;
  options.backlog = kBacklog;
  if (client.ping_interval > Duration::zero())
    options.user_timeout =
        std::min(options.user_timeout, client.ping_interval + client.pong_timeout);
  return options;
}

}  // namespace parley::server
