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
    meters::accepted.add();
    std::unique_ptr<SocketHandler> handler = handler_(PeerAddress::from(storage));
    if (handler) loop_.add(std::move(fd), std::move(handler));
  }
}

void Acceptor::pause(int error) {
  // Left in epoll, the ready socket would wake the loop again at once, for ever.
  loop_.unwatch(listener_.fd.get());
  const Now now = read_clock();
  timers_.schedule(resume_, now.mono + options_.pause);
  if (pause_log_.pass(
          std::chrono::duration_cast<milliseconds>(now.mono.time_since_epoch()).count())) {
    log::error("cannot accept connections, trying again soon",
               {{"address", listener_.address.to_string()},
                {"error", std::strerror(error)},
                {"advice", "raise the limit of open files (ulimit -n)"}});
  }
}

}  // namespace parley::io
