#include "io/waker.h"

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "io/meters.h"

namespace parley::io {

Waker::Waker() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_); }

void Waker::signal() {
  meters::wakes.add();
  const uint64_t one = 1;
  // Can fail only when the counter is full, and then the shard has been woken 2^64 times.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

}  // namespace parley::io
