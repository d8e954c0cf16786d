#include "io/worker.h"

#include "io/meters.h"

namespace parley::io {

Worker::Worker(ShardGroup& shards, size_t threads, size_t capacity)
    : shards_(shards), capacity_(capacity) {
  CHECK(threads > 0);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

bool Worker::enqueue(ShardId reply_to, Step step) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || in_flight_->load() >= capacity_) {
      meters::worker_full.add();
      return false;
    }
    in_flight_->fetch_add(1);
    queue_.push_back({reply_to, std::move(step)});
  }
  wake_.notify_one();
  return true;
}

void Worker::work() {
  while (true) {
    Queued next;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    // The room for the completion was reserved by counting the job as in flight. A shard that has
    // stopped wants no completions.
    shards_.post_reserved(next.reply_to,
                          [completion = next.step(), in_flight = in_flight_]() mutable {
                            in_flight->fetch_sub(1);
                            completion();
                          });
  }
}

}  // namespace parley::io
