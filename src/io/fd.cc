#include "io/fd.h"

#include <sys/resource.h>
#include <unistd.h>

namespace parley::io {

void UniqueFd::reset() {
  // close() releases the descriptor even when it reports EINTR, so it is never repeated.
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

size_t raise_fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return limit.rlim_cur;
}

}  // namespace parley::io
