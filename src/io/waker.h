// Wakes a shard that sleeps in its loop, and only then.
#pragma once

#include <atomic>

#include "io/fd.h"

namespace parley::io {

// Owner: the shard that sleeps; wake() may be called by any thread, after it made work visible.
//
// Both sides use read-modify-write operations on one flag, which the language puts into one order:
// either wake() comes second, sees the announcement and writes the eventfd; or announce_sleep()
// comes second and has then also acquired the work, so that the check which must follow it finds
// it. The eventfd is never read: every write is an edge for epoll.
class Waker {
 public:
  Waker();
  int fd() const { return event_.get(); }

  // Shard: own. Must be followed by a last look for work, and only then by sleeping.
  void announce_sleep() { sleeping_.exchange(true); }
  void awake() { sleeping_.exchange(false); }

  // Shard: any. Costs a system call only when the shard had announced that it sleeps.
  void wake() {
    if (sleeping_.exchange(false)) signal();
  }

 private:
  void signal();

  alignas(64) std::atomic<bool> sleeping_{false};
  UniqueFd event_;
};

}  // namespace parley::io
