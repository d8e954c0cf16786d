// The sockets of one shard over epoll. A loop over io_uring would be a second class of this shape.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include <sys/epoll.h>

#include "base/affinity.h"
#include "io/socket.h"
#include "io/turn_budget.h"

namespace parley::io {

// A descriptor that is no connection: a listening socket. Level-triggered.
class WatchedFd {
 public:
  virtual ~WatchedFd() = default;
  // At the end of the turn, when the descriptors of what closed in it are free. True: not all was
  // done; called again in the next turn, however many sockets are ready before it.
  virtual bool on_ready() = 0;
};

struct LoopOptions {
  size_t scratch_bytes = 64 * 1024;
  size_t cork_bytes = 16 * 1024;  // several slices up to this size are joined into one send
  size_t input_bytes_per_turn = 1024 * 1024;
  size_t input_bytes_per_socket = 256 * 1024;
  size_t flushes_per_turn = 4096;
  // Of what sockets share (docs/adr/0027-writes-together.md): writes, and their bytes.
  size_t writes_together = 128;
  size_t bytes_together = 256 * 1024;
  Duration lag_every = milliseconds(100);  // how often the unread input of a socket is asked for
  Duration part_time = milliseconds(1);    // for input, flush and closing each
  // Dropped from a peer that keeps sending while we close: more than any body that is refused for
  // its length should have, because what is left unread turns the close into a reset that may
  // overtake the refusal.
  size_t farewell_bytes = 16 * 1024 * 1024;
};

// Edge-triggered, one epoll_ctl per connection for life: waiting for room costs no call, because
// the kernel reports OUT only after it had refused bytes. Two rules carry it: `blocked` is cleared
// by OUT only, and reading stops after a short read unless the peer's end has been reported. Owner:
// a Shard, used on that shard only. A failing socket is closed; nothing else can fail.
class EpollLoop {
 public:
  EpollLoop(ShardId shard, TimerWheel& timers, const LoopOptions& options);
  ~EpollLoop();
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;

  Socket& add(UniqueFd fd, std::unique_ptr<SocketHandler> handler);
  bool watch(int fd, WatchedFd& watched);
  void unwatch(int fd, const WatchedFd& watched);
  // As if its descriptor were ready.
  void call_soon(WatchedFd& watched);
  void watch_waker(int fd);
  size_t open_sockets() const { return sockets_.size(); }
  bool flush_pending() const { return !dirty_.empty() || !urgent_.empty(); }

  // The parts of a turn, in this order.
  void wait(int timeout_ms);
  void dispatch(const Now& now);
  void flush();
  void reap();
  void serve_watched();
  // Something is left that needs another turn at once.
  bool has_work() const;

  // Closes every socket and reaps.
  void close_all(CloseReason reason);

 private:
  friend class Socket;
  // The seam's verbs for Socket.
  void attach_handler(Socket& socket, std::unique_ptr<SocketHandler> handler);
  void mark_dirty(Socket& socket, Urgency urgency);
  void close(Socket& socket, CloseReason reason);
  void close_after_flush(Socket& socket, Duration limit);
  DetachedSocket detach(Socket& socket, ByteView unread);
  void defer_read(Socket& socket);
  void deliver(Socket& socket, std::span<char> bytes);

  // Input.
  void on_event(Socket& socket, uint32_t events, TurnBudget& budget);
  void read_deferred(TurnBudget& budget);
  void read(Socket& socket, TurnBudget& budget);
  void on_peer_end(Socket& socket);
  void drop_input(Socket& socket, size_t bytes);
  void weigh_input(Socket& socket, size_t bytes);
  void forget_lag(Socket& socket);

  // Output.
  Socket* next_dirty();
  bool lend_shared(Socket& socket);
  void write_shared();
  void flush(Socket& socket);
  void settle(Socket& socket, size_t lent, ssize_t written, int error);
  ssize_t send(Socket& socket);
  void end_our_side(Socket& socket);

  void reap(TurnBudget& budget);
  void bury(Socket& socket);

  // Since its unread input was last asked for.
  struct Lag {
    Time since;
    size_t bytes = 0;  // read
  };
  // What a socket lent that is written together with others.
  struct Shared {
    Socket* socket;
    ByteView bytes;
    ssize_t written;
    int error;
    int fd;  // the socket's; it is in the caches when it lends, no longer when it is written to
  };
  using List = IntrusiveList<Socket, Socket>;
  HomeShard home_;
  TimerWheel& timers_;
  LoopOptions options_;
  UniqueFd epoll_;
  std::vector<Socket*> sockets_;  // owned; Socket::index_ points back
  std::vector<Socket*> deferred_;
  std::vector<Socket*> deferred_before_;
  std::unordered_map<const Socket*, Lag> lags_;
  Time now_{};                     // of this turn
  std::vector<WatchedFd*> ready_;  // null: unwatched meanwhile
  List urgent_;
  List dirty_;
  unsigned urgent_in_a_row_ = 0;
  std::vector<Shared> shared_;  // lent and not written yet; empty but within flush()
  size_t shared_bytes_ = 0;
  List dead_;
  std::vector<std::unique_ptr<SocketHandler>> retired_;
  OutSlices out_;
  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<char[]> cork_;
  std::array<epoll_event, 512> events_;
  size_t event_count_ = 0;
};

}  // namespace parley::io
