// Bound sockets that wait for connections, one per shard for the same address (SO_REUSEPORT).
#pragma once

#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/address.h"
#include "io/fd.h"

namespace parley::io {

// Set on the listening socket; accepted ones inherit them, so that a connection costs no
// setsockopt.
struct ListenOptions {
  int backlog = 4096;
  // Unsent bytes that the kernel takes per socket. What it hides, no bound of ours measures.
  int notsent_lowat = 32 * 1024;
  // Bound of the kernel's send buffer; 0 leaves it to its autotuning.
  int send_buffer = 256 * 1024;
  // A peer that confirms nothing for so long is given up; 0 leaves it to the kernel.
  Duration user_timeout = seconds(30);
};

// Bound, but not yet listening: Shard::listen() starts it. Until then no connection can come.
struct Listener {
  UniqueFd fd;
  Address address;  // with the real port where 0 was asked for
  int backlog = 0;
};

// Binds `count` sockets to one address before any of them listens, so that no shard gets all of the
// first connections. Fails with one sentence for the person who started the server.
Result<std::vector<Listener>> bind_listeners(const Address& address, size_t count,
                                             const ListenOptions& options = {});

}  // namespace parley::io
