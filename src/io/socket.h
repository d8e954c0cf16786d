// A connected stream socket and the interface of the code that lives on it. This is the seam that
// hides the event loop: opened, input, gather, consumed, closed, and a list of dirty sockets. The
// handler borrows and lends bytes but never reads or writes, so that a loop on io_uring, or TLS
// (consumed() then means: encrypted), changes nothing above.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "base/timer_wheel.h"
#include "io/address.h"
#include "io/fd.h"
#include "io/out_slices.h"

namespace parley::io {

class EpollLoop;
class Socket;

enum class CloseReason : uint8_t {
  kLocal,       // close() or close_after_flush() of ours
  kPeerClosed,  // the peer ended its side in order
  kReset,       // the peer broke the connection off
  kTimeout,     // the peer confirmed nothing, or took too long to take our last bytes
  kError,       // another error of the operating system
  kShutdown,    // the shard stops
  kDetached,    // the connection lives on elsewhere
};
std::string_view to_string(CloseReason reason);

// What to do when the peer has ended its side and all of its bytes have been delivered.
enum class AfterPeerEnd : uint8_t { kClose, kKeepSending };

// Replies to a waiting peer are flushed before what is merely new.
enum class Urgency : uint8_t { kNormal, kReply };

// Of a socket whose input is not read to the end: what is still with the kernel, and how much was
// read in the time before that was asked. It begins with no time, and is over where nothing was
// read.
struct InputLag {
  size_t unread = 0;
  size_t read = 0;
  Duration within{};
};

// What lives on a socket: an HTTP connection, a WebSocket transport. Owner: its Socket. Called on
// the socket's shard only, never concurrently. Nothing here may block or throw.
class SocketHandler {
 public:
  virtual ~SocketHandler() = default;
  // First of all calls. The socket lives until on_closed() returned, or until another handler
  // replaced this one.
  virtual void on_opened(Socket& socket) = 0;
  // Bytes arrived. They lie in the shard's scratch buffer, may be changed, and are gone after the
  // call: all of them must be taken, a partial frame is kept by the handler itself.
  virtual void on_input(std::span<char> bytes) = 0;
  // The peer sends faster than it is read; told once in a while, before the input that shows it.
  virtual void on_input_lag(const InputLag&) {}
  virtual AfterPeerEnd on_peer_end() { return AfterPeerEnd::kClose; }
  // The loop wants to write to this socket and to others: lend what there is to send, at most
  // `most` bytes, if it is all that there is, and stays in place whatever others lend. consumed()
  // comes after the same was asked of others, and after those of others that lent before; nothing
  // else of this shard is called in between, and consumed() comes even if the socket was closed by
  // another's. Nothing lent: gather() will be called.
  virtual ByteView gather_shared(size_t most) {
    (void)most;
    return {};
  }
  // The loop wants to write: lend slices until append() returns false. May lend nothing.
  virtual void gather(OutSlices& out) = 0;
  // The kernel took the first n bytes of the last gather(); n may be 0. Called after each gather()
  // that lent something. If Socket::blocked() now, nothing more is asked for until there is room.
  virtual void consumed(size_t n) = 0;
  // Exactly once and last, at the end of the turn. The handler is destroyed after it. A handler
  // that was replaced does not get it.
  virtual void on_closed(CloseReason reason) = 0;
};

// A connection on its way between two shards, at a message border. Any thread; closes if dropped.
struct DetachedSocket {
  UniqueFd fd;
  Buffer unread;  // came before what is still in the kernel
};

// Owner: its loop; destroyed at the end of a turn, after on_closed(). Shard: that of its loop.
// All calls are allowed from inside handler calls and do nothing on a closed socket. 56 bytes, and
// nothing else per idle connection besides the handler.
class Socket : public ListNode<Socket> {
 public:
  ~Socket();

  SocketHandler& handler() { return *handler_; }
  // The old handler gets no more calls and dies at the end of the turn. Not from inside gather() or
  // consumed().
  void set_handler(std::unique_ptr<SocketHandler> handler);
  // Delivers bytes that an earlier handler had taken but not used.
  void feed(std::span<char> bytes);

  // Flush me at the end of this turn, or in a later one when its budget is used up. Idempotent.
  void mark_dirty(Urgency urgency = Urgency::kNormal);
  // The kernel's buffer is full; the loop marks the socket dirty when there is room.
  bool blocked() const { return has(kBlocked); }

  // Dead at once: only on_closed() follows. Bytes not yet taken by the kernel are lost.
  void close(CloseReason reason = CloseReason::kLocal);
  // Drops further input, sends what gather() still gives, ends our side, waits for the peer to end
  // its own, and closes; all within `limit`.
  void close_after_flush(Duration limit);
  bool open() const { return !has(kDead); }

  // While paused the peer's bytes stay in the kernel, which slows the peer.
  void pause_reading();
  void resume_reading();
  bool reading_paused() const { return has(kPaused); }
  // From now on on_input() gets at most so many bytes at once, above 0: for those who may have to
  // keep what they cannot use yet. A new handler begins without; the loop's scratch is a limit for
  // all.
  void read_at_most(size_t bytes) {
    read_most_ = static_cast<uint32_t>(std::min<size_t>(bytes, kNoReadLimit));
  }

  // The peer owes a confirmation, also of what was sent again, and for so long nothing at all has
  // come from its side: it cannot be reached. One that merely does not read confirms what it was
  // sent. Asks the kernel.
  bool unheard(Duration time) const;

  // Asks the kernel; a reset connection may have no name any more.
  PeerAddress peer() const;

  // Takes the connection off this shard, together with bytes of it that were read but not used. The
  // handler gets on_closed(kDetached). What it has not sent is the caller's to carry over.
  DetachedSocket detach(ByteView unread);

 private:
  friend class EpollLoop;
  enum Flag : uint16_t {
    kDead = 1,        // closed, waits for the end of the turn
    kBlocked = 2,     // the last send met a full buffer, no OUT since
    kPaused = 4,      // by pause_reading()
    kDeferred = 8,    // stands in the loop's list of sockets to be read later
    kEndSeen = 16,    // the kernel reported RDHUP, HUP or ERR: read to the end
    kPeerEnded = 32,  // recv() returned 0
    kUrgent = 64,     // stands in the list of urgent sockets
    kClosing = 128,   // close_after_flush()
    kShutDown = 256,  // our side has ended
    kLagging = 512,   // stands in the loop's list of those whose input is not read to the end
  };
  struct Farewell;  // what only a closing socket needs
  static constexpr uint32_t kNoReadLimit = UINT32_MAX;

  Socket(EpollLoop& loop, UniqueFd fd);
  bool has(Flag flag) const { return (flags_ & flag) != 0; }
  void set(Flag flag) { flags_ = static_cast<uint16_t>(flags_ | flag); }
  void clear(Flag flag) { flags_ = static_cast<uint16_t>(flags_ & ~flag); }

  EpollLoop& loop_;
  std::unique_ptr<SocketHandler> handler_;
  std::unique_ptr<Farewell> farewell_;
  UniqueFd fd_;
  uint32_t index_ = 0;  // in the loop's table
  uint32_t read_most_ = kNoReadLimit;
  uint16_t flags_ = 0;
  CloseReason reason_ = CloseReason::kLocal;
};

static_assert(sizeof(Socket) <= 56, "a socket is paid for a million times");

}  // namespace parley::io
