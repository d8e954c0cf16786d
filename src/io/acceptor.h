// Takes new connections from one listening socket.
#pragma once

#include <climits>
#include <functional>
#include <memory>
#include <optional>
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
  // The first who finds them all taken, and those behind it in the backlog, wait while others
  // close: after a break in the network the old connections end just when their clients are back.
  // Looked for so often, and as soon as there was none in vain, they are refused.
  unsigned looks = 16;
  Duration look_every = TimerWheel::kTick;
  // What a client above that is sent before it is closed.
  std::string refusal = {};
};

// Owner: a Shard, used on it only. Failure: a client for which no descriptor is left is refused,
// at once unless there might be one in a moment; where not even that can be done it stops asking
// for `pause` instead of spinning, and peers wait in the backlog meanwhile. Why so:
// docs/adr/0016-overflow-and-overload.md.
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
  // Above what clients may have.
  struct Excess {
    UniqueFd fd;
    PeerAddress peer;
    unsigned looks = 0;  // that are left
  };
  bool on_ready() override;
  bool accept_one();
  void take(UniqueFd fd, const PeerAddress& peer);
  void wait_for_room(UniqueFd fd, const PeerAddress& peer);
  bool look_for_room();
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
  CallbackTimer look_;
  std::optional<Excess> excess_;
  bool full_ = false;  // somebody waited in vain, and nobody was taken since
  log::Limited complaints_{10'000};
};

}  // namespace parley::io
