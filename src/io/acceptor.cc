#include "io/acceptor.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include "io/meters.h"

namespace parley::io {
namespace {

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
      resume_([this](const Now&) { resume(); }) {
  CHECK(::listen(listener_.fd.get(), listener_.backlog) == 0);
  CHECK(loop_.watch(listener_.fd.get(), *this));
}

Acceptor::~Acceptor() { stop(); }

void Acceptor::stop() {
  if (!listener_.fd) return;
  TimerWheel::cancel(resume_);
  loop_.unwatch(listener_.fd.get());
  listener_.fd.reset();
}

void Acceptor::resume() {
  if (!loop_.watch(listener_.fd.get(), *this)) pause(errno);
}

void Acceptor::on_ready() {
  for (size_t i = 0; i < options_.per_turn && listener_.fd; ++i) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    UniqueFd fd(::accept4(listener_.fd.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN) return;
      const int error = errno;
      const bool one = concerns_one_connection(error);
      meters::accept_errors.add(one ? meters::AcceptError::kConnection
                                    : meters::AcceptError::kResources);
      if (one) continue;
      return pause(error);
    }
    if (fd.get() >= options_.client_descriptors) {
      refuse(fd);
      continue;
    }
    meters::accepted.add();
    std::unique_ptr<SocketHandler> handler = handler_(PeerAddress::from(storage));
    if (handler) loop_.add(std::move(fd), std::move(handler));
  }
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
  loop_.unwatch(listener_.fd.get());
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
