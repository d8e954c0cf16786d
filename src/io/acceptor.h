// Takes new connections from one listening socket.
#pragma once

#include <climits>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "io/epoll_loop.h"
#include "io/listener.h"

namespace parley::io {

// Makes what lives on a new connection; null refuses it. Called on the shard.
using AcceptHandler =
    std::move_only_function<std::unique_ptr<SocketHandler>(const PeerAddress& peer)>;

struct AcceptOptions {
  size_t per_turn = 32;
  // How long to leave connections in the backlog when there is no descriptor or memory for them.
  Duration pause = milliseconds(500);
  // Clients get descriptors below this number only; the rest are left to files of our own. The
  // kernel gives out the lowest free one, so the number says how many are taken in the process.
  int client_descriptors = INT_MAX;
  // What a client above that is sent before it is closed.
  std::string refusal = {};
};

// Owner: a Shard, used on it only. Failure: a client for which no descriptor is left is refused at
// once; where not even that can be done it stops asking for `pause` instead of spinning, and peers
// wait in the backlog meanwhile.
class Acceptor final : public WatchedFd {
 public:
  Acceptor(EpollLoop& loop, TimerWheel& timers, Listener listener, AcceptHandler handler,
           const AcceptOptions& options);
  ~Acceptor() override;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Closes the listening socket. Allowed from inside the AcceptHandler; the object itself must live
  // until the end of the turn, because the loop may hold an event for it.
  void stop();

 private:
  void on_ready() override;
  void resume();
  void refuse(const UniqueFd& fd);
  void pause(int error);
  void complain(std::string_view what, std::string_view why);

  EpollLoop& loop_;
  TimerWheel& timers_;
  Listener listener_;
  AcceptHandler handler_;
  AcceptOptions options_;
  CallbackTimer resume_;
  log::Limited complaints_{10'000};
};

}  // namespace parley::io
