#include "io/post_queue.h"

#include "io/meters.h"

namespace parley::io {

bool PostQueue::push_below(size_t limit, Task& task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (tasks_.size() >= limit) {
    meters::post_full.add();
    return false;
  }
  tasks_.push_back(std::move(task));
  size_.store(tasks_.size());
  return true;
}

bool PostQueue::pop(Task& task) {
  if (empty()) return false;
  const std::lock_guard lock(mutex_);
  if (tasks_.empty()) return false;
  task = std::move(tasks_.front());
  tasks_.pop_front();
  size_.store(tasks_.size());
  return true;
}

void PostQueue::close() {
  std::deque<Task> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(tasks_);
    size_.store(0);
  }
  // Destroyed without the mutex: a task's destructor may post.
}

}  // namespace parley::io
