#include "io/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "io/epoll_loop.h"
#include "io/farewell.h"
#include "io/silence.h"

namespace parley::io {
namespace {

// Kernels that do not know the question (before 6.15) have nothing to set, either.
Duration largest_timeout(int fd) {
  constexpr int kRtoMaxMs = 44;  // TCP_RTO_MAX_MS of linux/tcp.h
  int most = 0;
  socklen_t length = sizeof most;
  if (::getsockopt(fd, IPPROTO_TCP, kRtoMaxMs, &most, &length) != 0 || most <= 0)
    return kLargestTimeout;
  return milliseconds(most);
}

}  // namespace

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLocal:
      return "local";
    case CloseReason::kPeerClosed:
      return "peer_closed";
    case CloseReason::kReset:
      return "reset";
    case CloseReason::kTimeout:
      return "timeout";
    case CloseReason::kError:
      return "error";
    case CloseReason::kShutdown:
      return "shutdown";
    case CloseReason::kDetached:
      return "detached";
  }
  return "unknown";
}

Socket::Socket(EpollLoop& loop, UniqueFd fd) : loop_(loop), fd_(std::move(fd)) {}
Socket::~Socket() = default;

void Socket::set_handler(std::unique_ptr<SocketHandler> handler) {
  loop_.attach_handler(*this, std::move(handler));
}

void Socket::feed(std::span<char> bytes) {
  if (open() && !bytes.empty()) loop_.deliver(*this, bytes);
}

void Socket::mark_dirty(Urgency urgency) { loop_.mark_dirty(*this, urgency); }
void Socket::close(CloseReason reason) { loop_.close(*this, reason); }
void Socket::close_after_flush(Duration limit) { loop_.close_after_flush(*this, limit); }

void Socket::pause_reading() {
  // While closing, the peer's end must be seen.
  if (!has(kClosing)) set(kPaused);
}

void Socket::resume_reading() {
  if (!open() || !has(kPaused)) return;
  clear(kPaused);
  // The edge that announced bytes may have passed meanwhile.
  loop_.defer_read(*this);
}

bool Socket::unheard(Duration time) const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd_.get(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  // Who owes nothing that was sent again is asked about no further.
  if (info.tcpi_retransmits == 0) return false;
  return is_unheard(info, time, largest_timeout(fd_.get()));
}

PeerAddress Socket::peer() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return PeerAddress::from(storage);
}

DetachedSocket Socket::detach(ByteView unread) { return loop_.detach(*this, unread); }

}  // namespace parley::io
