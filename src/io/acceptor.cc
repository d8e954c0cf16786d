#include "io/acceptor.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

#include "io/meters.h"

namespace parley::io {
namespace {

constexpr Duration kPartTime = milliseconds(1);  // of a turn

// The connection is gone or was never whole; the next one may be fine (accept(2), "Error
// handling").
bool concerns_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace

Acceptor::Acceptor(EpollLoop& loop, TimerWheel& timers, Listener listener, AcceptHandler handler,
                   const AcceptOptions& options)
    : loop_(loop),
      timers_(timers),
      listener_(std::move(listener)),
      handler_(std::move(handler)),
      options_(options),
      resume_([this](const Now&) { resume(); }),
      look_([this](const Now&) { loop_.call_soon(*this); }) {
  CHECK(::listen(listener_.fd.get(), listener_.backlog) == 0);
  CHECK(loop_.watch(listener_.fd.get(), *this));
}

Acceptor::~Acceptor() { stop(); }

void Acceptor::stop() {
  if (!listener_.fd) return;
  TimerWheel::cancel(resume_);
  TimerWheel::cancel(look_);
  excess_.reset();
  loop_.unwatch(listener_.fd.get(), *this);
  listener_.fd.reset();
}

void Acceptor::resume() {
  if (!loop_.watch(listener_.fd.get(), *this)) pause(errno);
}

bool Acceptor::on_ready() {
  if (excess_ && !look_for_room()) return false;
  TurnBudget budget(options_.per_turn, kPartTime);
  while (!budget.exhausted()) {
    if (!listener_.fd || !accept_one()) return false;
    budget.spend(1);
  }
  return true;
}

// False: there is no more, or it has to wait.
bool Acceptor::accept_one() {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  UniqueFd fd(::accept4(listener_.fd.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) {
    if (errno == EAGAIN) return false;
    const int error = errno;
    const bool one = concerns_one_connection(error);
    meters::accept_errors.add(one ? meters::AcceptError::kConnection
                                  : meters::AcceptError::kResources);
    if (!one) pause(error);
    return one;
  }
  if (fd.get() < options_.client_descriptors) {
    take(std::move(fd), PeerAddress::from(storage));
    return true;
  }
  if (full_ || options_.looks == 0) return refuse(fd), true;
  wait_for_room(std::move(fd), PeerAddress::from(storage));
  return false;
}

void Acceptor::take(UniqueFd fd, const PeerAddress& peer) {
  full_ = false;
  meters::accepted.add();
  std::unique_ptr<SocketHandler> handler = handler_(peer);
  if (handler) loop_.add(std::move(fd), std::move(handler));
}

void Acceptor::wait_for_room(UniqueFd fd, const PeerAddress& peer) {
  meters::accept_waits.add();
  loop_.unwatch(listener_.fd.get(), *this);
  excess_ = {std::move(fd), peer, options_.looks};
  timers_.schedule(look_, read_clock().mono + options_.look_every);
}

// Whether the one who waited is settled. Judged at the end of turns and by their number, not by the
// clock: after a stall, what closed meanwhile is seen first.
bool Acceptor::look_for_room() {
  UniqueFd lower(::fcntl(excess_->fd.get(), F_DUPFD_CLOEXEC, 0));
  const bool room = lower && lower.get() < options_.client_descriptors;
  if (!room && --excess_->looks > 0) {
    timers_.schedule(look_, read_clock().mono + options_.look_every);
    return false;
  }
  const Excess settled = *std::exchange(excess_, std::nullopt);
  resume();
  if (room) {
    take(std::move(lower), settled.peer);
  } else {
    full_ = true;
    refuse(settled.fd);
  }
  return true;
}

void Acceptor::refuse(const UniqueFd& fd) {
  meters::accept_errors.add(meters::AcceptError::kFull);
  // A request that is there already is taken: closing over unread bytes would reset the connection
  // and might overtake the refusal.
  char request[16 * 1024];
  ::recv(fd.get(), request, sizeof request, MSG_DONTWAIT);
  ::send(fd.get(), options_.refusal.data(), options_.refusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  complain("refusing connections", "all open files that clients may have are taken");
}

void Acceptor::pause(int error) {
  // Left in epoll, the ready socket would wake the loop again at once, for ever.
  loop_.unwatch(listener_.fd.get(), *this);
  timers_.schedule(resume_, read_clock().mono + options_.pause);
  complain("cannot accept connections, trying again soon", std::strerror(error));
}

void Acceptor::complain(std::string_view what, std::string_view why) {
  const auto now = read_clock().mono.time_since_epoch();
  if (!complaints_.pass(std::chrono::duration_cast<milliseconds>(now).count())) return;
  log::error(what, {{"address", listener_.address.to_string()},
                    {"error", why},
                    {"advice", "raise the limit of open files (ulimit -n)"}});
}

}  // namespace parley::io
