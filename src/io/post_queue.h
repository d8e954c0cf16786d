// Control work handed to a shard by any thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>

namespace parley::io {

using Task = std::move_only_function<void()>;

// A bounded queue with a mutex: for adopting sockets, stopping, surveys; never for messages, which
// go through Mailboxes. Owner: a Shard. Push from any thread, pop on the shard.
class PostQueue {
 public:
  explicit PostQueue(size_t capacity) : capacity_(capacity) {}

  // False when full or closed; the task is then untouched.
  bool push(Task&& task) { return push_below(capacity_, task); }
  // For work whose amount is bounded elsewhere; false only when closed.
  bool push_reserved(Task&& task) { return push_below(SIZE_MAX, task); }

  bool empty() const { return size_.load() == 0; }
  bool pop(Task& task);
  // Destroys what is left and refuses from now on.
  void close();

 private:
  bool push_below(size_t limit, Task& task);

  const size_t capacity_;
  std::atomic<size_t> size_{0};  // readable without the mutex
  std::mutex mutex_;
  std::deque<Task> tasks_;
  bool closed_ = false;
};

}  // namespace parley::io
