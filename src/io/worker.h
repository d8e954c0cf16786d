// Blocking work off the shards: files, DNS, libraries that wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/shard.h"

namespace parley::io {

// A few threads behind a bounded queue. A job runs on one of them and must not touch anything that
// belongs to a shard; its result is handed to a completion that runs on the shard named.
// Owner: server/, destroyed before its ShardGroup; that waits for running jobs and drops the
// others, whose completions then never run. submit() is for any thread.
class Worker {
 public:
  // `capacity` bounds the jobs whose completion has not run yet.
  Worker(ShardGroup& shards, size_t threads, size_t capacity);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False when full; then neither function will run. `job` returns R or nothing, `done` takes it.
  template <class Job, class Done>
  [[nodiscard]] bool submit(ShardId reply_to, Job job, Done done) {
    return enqueue(reply_to, [job = std::move(job), done = std::move(done)]() mutable -> Task {
      if constexpr (std::is_void_v<std::invoke_result_t<Job&>>) {
        job();
        return Task(std::move(done));
      } else {
        return [result = job(), done = std::move(done)]() mutable { done(std::move(result)); };
      }
    });
  }

 private:
  using Step = std::move_only_function<Task()>;  // does the job, returns its completion
  struct Queued {
    ShardId reply_to;
    Step step;
  };

  bool enqueue(ShardId reply_to, Step step);
  void work();

  ShardGroup& shards_;
  const size_t capacity_;
  // Shared with completions, which may outlive the worker.
  std::shared_ptr<std::atomic<size_t>> in_flight_ = std::make_shared<std::atomic<size_t>>(0);
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Queued> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace parley::io
