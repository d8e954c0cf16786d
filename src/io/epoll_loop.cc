#include "io/epoll_loop.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "io/farewell.h"
#include "io/meters.h"

namespace parley::io {
namespace {

// epoll's 64 bits name a Socket, a WatchedFd (lowest bit set) or the waker (0).
constexpr uint64_t kWatchedTag = 1;
constexpr uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

// The event's 64 bits are the address itself: epoll carries no type.
uint64_t as_bits(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
template <class T>
T* from_bits(uint64_t bits) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<T*>(static_cast<uintptr_t>(bits));
}

CloseReason reason_of(int error) {
  switch (error) {
    case ECONNRESET:
    case EPIPE:
      return CloseReason::kReset;
    case ETIMEDOUT:
      return CloseReason::kTimeout;
    default:
      return CloseReason::kError;
  }
}

CloseReason pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return reason_of(error);
}

// The library's send() is a point where threads may be cancelled, which two locked instructions
// see to in every call; ours never are.
ssize_t send_now(int fd, const void* bytes, size_t size) {
  return ::syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
}

}  // namespace

EpollLoop::EpollLoop(ShardId shard, TimerWheel& timers, const LoopOptions& options)
    : home_(shard),
      timers_(timers),
      options_(options),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      scratch_(std::make_unique_for_overwrite<char[]>(options.scratch_bytes)),
      cork_(std::make_unique_for_overwrite<char[]>(options.cork_bytes)) {
  CHECK(epoll_);
}

EpollLoop::~EpollLoop() { close_all(CloseReason::kShutdown); }

Socket& EpollLoop::add(UniqueFd fd, std::unique_ptr<SocketHandler> handler) {
  home_.check();
  auto* socket = new Socket(*this, std::move(fd));
  socket->index_ = static_cast<uint32_t>(sockets_.size());
  sockets_.push_back(socket);
  meters::open_sockets.add(1);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u64 = as_bits(socket)}};
  const bool watched = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->fd_.get(), &event) == 0;
  attach_handler(*socket, std::move(handler));
  if (!watched) close(*socket, CloseReason::kError);
  return *socket;
}

bool EpollLoop::watch(int fd, WatchedFd& watched) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = as_bits(&watched) | kWatchedTag}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollLoop::unwatch(int fd, const WatchedFd& watched) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  std::ranges::replace(ready_, &watched, nullptr);
}

void EpollLoop::call_soon(WatchedFd& watched) {
  if (std::ranges::find(ready_, &watched) == ready_.end()) ready_.push_back(&watched);
}

void EpollLoop::serve_watched() {
  for (WatchedFd*& watched : ready_)
    if (watched != nullptr && !watched->on_ready()) watched = nullptr;
  std::erase(ready_, nullptr);
}

void EpollLoop::watch_waker(int fd) {
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = 0}};
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void EpollLoop::attach_handler(Socket& socket, std::unique_ptr<SocketHandler> handler) {
  home_.check();
  CHECK(handler);
  if (!socket.open()) return;
  if (socket.handler_) retired_.push_back(std::move(socket.handler_));
  socket.handler_ = std::move(handler);
  socket.read_most_ = Socket::kNoReadLimit;
  socket.handler_->on_opened(socket);
}

bool EpollLoop::has_work() const {
  return !deferred_.empty() || !urgent_.empty() || !dirty_.empty() || !dead_.empty() ||
         !retired_.empty() || !ready_.empty();
}

void EpollLoop::wait(int timeout_ms) {
  const int count =
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  event_count_ = count > 0 ? static_cast<size_t>(count) : 0;
}

// --- input

void EpollLoop::dispatch(const Now& now) {
  now_ = now.mono;
  TurnBudget budget(options_.input_bytes_per_turn, options_.part_time);
  read_deferred(budget);
  for (size_t i = 0; i < event_count_; ++i) {
    const uint64_t bits = events_[i].data.u64;
    if (bits == 0) continue;
    if ((bits & kWatchedTag) != 0) {
      call_soon(*from_bits<WatchedFd>(bits & ~kWatchedTag));
    } else {
      on_event(*from_bits<Socket>(bits), events_[i].events, budget);
    }
  }
  event_count_ = 0;
}

void EpollLoop::read_deferred(TurnBudget& budget) {
  deferred_before_.swap(deferred_);
  for (Socket* socket : deferred_before_) {
    socket->clear(Socket::kDeferred);
    if (!socket->open()) {
      dead_.push_back(*socket);
    } else if (budget.exhausted()) {
      defer_read(*socket);
    } else if (!socket->has(Socket::kPaused) && !socket->has(Socket::kPeerEnded)) {
      read(*socket, budget);
    }
  }
  deferred_before_.clear();
}

void EpollLoop::defer_read(Socket& socket) {
  if (socket.has(Socket::kDeferred)) return;
  socket.set(Socket::kDeferred);
  deferred_.push_back(&socket);
}

void EpollLoop::on_event(Socket& socket, uint32_t events, TurnBudget& budget) {
  if (!socket.open()) return;
  if ((events & EPOLLOUT) != 0 && socket.blocked()) {
    socket.clear(Socket::kBlocked);
    mark_dirty(socket, Urgency::kNormal);
  }
  if ((events & kEndEvents) != 0) socket.set(Socket::kEndSeen);
  if (socket.has(Socket::kPaused) || socket.has(Socket::kPeerEnded)) {
    // Nobody will read, so recv() cannot report the error.
    if ((events & EPOLLERR) != 0) close(socket, pending_error(socket.fd_.get()));
    return;
  }
  if ((events & (EPOLLIN | kEndEvents)) == 0) return;
  if (budget.exhausted()) {
    defer_read(socket);
  } else {
    read(socket, budget);
  }
}

void EpollLoop::read(Socket& socket, TurnBudget& budget) {
  size_t taken = 0;
  while (true) {
    const size_t most = std::min<size_t>(options_.scratch_bytes, socket.read_most_);
    const ssize_t n = ::recv(socket.fd_.get(), scratch_.get(), most, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return close(socket, reason_of(errno));
      // The read before this one filled the buffer and left nothing.
      if (socket.has(Socket::kLagging)) weigh_input(socket, 0);
      return;
    }
    if (n == 0) return on_peer_end(socket);
    const auto size = static_cast<size_t>(n);
    meters::bytes_received.add(size);
    budget.spend(size);
    taken += size;
    // Nothing for those that keep up.
    if (size == options_.scratch_bytes || socket.has(Socket::kLagging)) weigh_input(socket, size);
    deliver(socket, {scratch_.get(), size});
    if (!socket.open() || socket.has(Socket::kPaused)) return;
    if (size < most && !socket.has(Socket::kEndSeen)) return;
    if (taken >= options_.input_bytes_per_socket || budget.exhausted()) return defer_read(socket);
  }
}

void EpollLoop::weigh_input(Socket& socket, size_t bytes) {
  if (bytes < options_.scratch_bytes) {
    forget_lag(socket);
    return socket.handler_->on_input_lag({});
  }
  const auto [found, begins] = lags_.try_emplace(&socket, Lag{now_});
  Lag& lag = found->second;
  if (begins) {
    socket.set(Socket::kLagging);
    socket.handler_->on_input_lag({.read = bytes});
  }
  lag.bytes += bytes;
  const Duration within = now_ - lag.since;
  if (within < options_.lag_every) return;
  int unread = 0;
  ::ioctl(socket.fd_.get(), FIONREAD, &unread);
  socket.handler_->on_input_lag({static_cast<size_t>(unread), lag.bytes, within});
  lag = {now_};
}

void EpollLoop::forget_lag(Socket& socket) {
  if (!socket.has(Socket::kLagging)) return;
  socket.clear(Socket::kLagging);
  lags_.erase(&socket);
}

void EpollLoop::deliver(Socket& socket, std::span<char> bytes) {
  if (socket.has(Socket::kClosing)) return drop_input(socket, bytes.size());
  socket.handler_->on_input(bytes);
}

void EpollLoop::drop_input(Socket& socket, size_t bytes) {
  size_t& dropped = socket.farewell_->dropped_bytes;
  dropped += bytes;
  if (dropped <= options_.farewell_bytes) return;
  meters::farewells_cut.add(meters::FarewellCut::kFlooded);
  close(socket, CloseReason::kLocal);
}

void EpollLoop::on_peer_end(Socket& socket) {
  socket.set(Socket::kPeerEnded);
  if (socket.has(Socket::kShutDown)) return close(socket, CloseReason::kLocal);
  if (socket.has(Socket::kClosing)) return;
  if (socket.handler_->on_peer_end() == AfterPeerEnd::kClose) {
    close(socket, CloseReason::kPeerClosed);
  }
}

// --- output

void EpollLoop::mark_dirty(Socket& socket, Urgency urgency) {
  home_.check();
  if (!socket.open() || socket.blocked() || socket.has(Socket::kShutDown)) return;
  if (urgency == Urgency::kReply) {
    if (socket.linked() && socket.has(Socket::kUrgent)) return;
    socket.unlink();
    socket.set(Socket::kUrgent);
    urgent_.push_back(socket);
  } else if (!socket.linked()) {
    dirty_.push_back(socket);
  }
}

Socket* EpollLoop::next_dirty() {
  // Replies go first, but not so that nothing else goes at all.
  constexpr unsigned kMaxUrgentInARow = 4;
  const bool take_urgent =
      !urgent_.empty() && (dirty_.empty() || urgent_in_a_row_ < kMaxUrgentInARow);
  urgent_in_a_row_ = take_urgent ? urgent_in_a_row_ + 1 : 0;
  List& list = take_urgent ? urgent_ : dirty_;
  if (list.empty()) return nullptr;
  Socket& socket = list.pop_front();
  socket.clear(Socket::kUrgent);
  return &socket;
}

void EpollLoop::flush() {
  TurnBudget budget(options_.flushes_per_turn, options_.part_time);
  while (!budget.exhausted()) {
    Socket* socket = next_dirty();
    if (socket == nullptr) break;
    if (!lend_shared(*socket)) {
      write_shared();
      if (socket->open()) flush(*socket);
    }
    budget.spend(1);
  }
  write_shared();
}

bool EpollLoop::lend_shared(Socket& socket) {
  if (socket.has(Socket::kClosing)) return false;
  const ByteView bytes = socket.handler_->gather_shared(OutSlices::kMaxBytes);
  if (bytes.empty()) return false;
  shared_.push_back({&socket, bytes, 0, 0, socket.fd_.get()});
  shared_bytes_ += bytes.size();
  if (shared_.size() >= options_.writes_together || shared_bytes_ >= options_.bytes_together)
    write_shared();
  return true;
}

// All writes in a row: between two of them no code of ours pushes the kernel's out of the caches.
void EpollLoop::write_shared() {
  for (Shared& shared : shared_) {
    do {
      shared.written = send_now(shared.fd, shared.bytes.data(), shared.bytes.size());
    } while (shared.written < 0 && errno == EINTR);
    shared.error = errno;
  }
  for (const Shared& shared : shared_) {
    // Each that lent is told, since they are told in order.
    if (shared.written < 0 && shared.error != EAGAIN) shared.socket->handler_->consumed(0);
    settle(*shared.socket, shared.bytes.size(), shared.written, shared.error);
  }
  shared_.clear();
  shared_bytes_ = 0;
}

void EpollLoop::flush(Socket& socket) {
  SocketHandler& handler = *socket.handler_;
  out_.reset();
  handler.gather(out_);
  if (!socket.open()) return;
  if (out_.empty()) {
    if (socket.has(Socket::kClosing)) end_our_side(socket);
    return;
  }
  const ssize_t n = send(socket);
  settle(socket, out_.size(), n, errno);
  if (!socket.open()) return;
  if (out_.may_have_more() || socket.has(Socket::kClosing)) mark_dirty(socket, Urgency::kNormal);
}

// The kernel took so many of the bytes that were lent, or none for that error.
void EpollLoop::settle(Socket& socket, size_t lent, ssize_t written, int error) {
  if (written < 0 && error != EAGAIN) return close(socket, reason_of(error));
  const size_t taken = written < 0 ? 0 : static_cast<size_t>(written);
  meters::bytes_sent.add(taken);
  // A short write means that the buffer is full: the kernel will report OUT.
  if (taken < lent) socket.set(Socket::kBlocked);
  socket.handler_->consumed(taken);
}

ssize_t EpollLoop::send(Socket& socket) {
  const std::span<iovec> slices = out_.slices();
  const int fd = socket.fd_.get();
  ssize_t n = 0;
  do {
    if (slices.size() == 1) {
      n = send_now(fd, slices[0].iov_base, slices[0].iov_len);
    } else if (out_.size() <= options_.cork_bytes) {
      char* end = cork_.get();
      for (const iovec& slice : slices) {
        std::memcpy(end, slice.iov_base, slice.iov_len);
        end += slice.iov_len;
      }
      n = send_now(fd, cork_.get(), out_.size());
    } else {
      msghdr message{};
      message.msg_iov = slices.data();
      message.msg_iovlen = slices.size();
      n = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    }
  } while (n < 0 && errno == EINTR);
  return n;
}

// --- the end of a socket

void EpollLoop::close(Socket& socket, CloseReason reason) {
  home_.check();
  if (!socket.open()) return;
  socket.set(Socket::kDead);
  socket.reason_ = reason;
  socket.unlink();
  // A deferred socket is named in a vector; it is taken from there before it may die.
  if (!socket.has(Socket::kDeferred)) dead_.push_back(socket);
}

void EpollLoop::close_after_flush(Socket& socket, Duration limit) {
  home_.check();
  if (!socket.open() || socket.has(Socket::kClosing)) return;
  socket.set(Socket::kClosing);
  socket.read_most_ = Socket::kNoReadLimit;  // nobody keeps it
  socket.farewell_ = std::make_unique<Socket::Farewell>(socket);
  timers_.schedule(*socket.farewell_, std::chrono::steady_clock::now() + limit);
  socket.resume_reading();
  mark_dirty(socket, Urgency::kReply);
}

void EpollLoop::end_our_side(Socket& socket) {
  if (socket.has(Socket::kPeerEnded)) return close(socket, CloseReason::kLocal);
  // Closing now, with bytes of the peer still unread or on their way, would answer them with a
  // reset that may overtake what we have just sent. So the peer's end is waited for.
  ::shutdown(socket.fd_.get(), SHUT_WR);
  socket.set(Socket::kShutDown);
}

DetachedSocket EpollLoop::detach(Socket& socket, ByteView unread) {
  home_.check();
  CHECK(socket.open());
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket.fd_.get(), nullptr);
  DetachedSocket detached{std::move(socket.fd_), Buffer(unread)};
  close(socket, CloseReason::kDetached);
  return detached;
}

void EpollLoop::bury(Socket& socket) {
  forget_lag(socket);
  sockets_.back()->index_ = socket.index_;
  sockets_[socket.index_] = sockets_.back();
  sockets_.pop_back();
  meters::open_sockets.add(-1);
  delete &socket;
}

void EpollLoop::reap() {
  TurnBudget budget(SIZE_MAX, options_.part_time);
  reap(budget);
}

void EpollLoop::reap(TurnBudget& budget) {
  // on_closed() and destructors may close other sockets, which then die in the same turn.
  while (true) {
    std::exchange(retired_, {}).clear();
    if (dead_.empty() || budget.exhausted()) return;
    Socket& socket = dead_.pop_front();
    socket.handler_->on_closed(socket.reason_);
    bury(socket);
  }
}

void EpollLoop::close_all(CloseReason reason) {
  // Handlers may open sockets while others close; those are closed too.
  while (!sockets_.empty()) {
    const std::vector<Socket*> all = sockets_;
    for (Socket* socket : all) close(*socket, reason);
    for (Socket* socket : deferred_) {
      socket->clear(Socket::kDeferred);
      dead_.push_back(*socket);
    }
    deferred_.clear();
    TurnBudget unlimited(SIZE_MAX, std::chrono::hours(1));
    reap(unlimited);
  }
}

}  // namespace parley::io
