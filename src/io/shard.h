// A shard: one thread with its loop, timers and inbox. Shards share nothing but NodeQuotas.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/affinity.h"
#include "base/log.h"
#include "base/timer_wheel.h"
#include "io/acceptor.h"
#include "io/epoll_loop.h"
#include "io/post_queue.h"
#include "io/waker.h"

namespace parley::io {

// A part of the turn that belongs to a layer above. Called on the shard; must outlive its run().
class TurnHook {
 public:
  virtual ~TurnHook() = default;
  // First of all, before input is read.
  virtual void on_turn_start(const Now&) {}
  // After input, inbox and timers, before the flush.
  virtual void on_turn(const Now& now) = 0;
  // Just before the flush and again after it: the place to wake other shards, once.
  virtual void on_turn_end() {}
  // True keeps the loop from sleeping. Also asked after the shard has announced that it sleeps, and
  // must then see what any thread had made visible before it called Waker::wake().
  virtual bool has_work() const { return false; }
  // The loop sleeps no longer than this, in whole milliseconds.
  virtual Duration max_sleep() const { return Duration::max(); }
};

struct ShardOptions {
  ShardId id = 0;
  LoopOptions loop;
  size_t timers_per_turn = 1024;
  size_t posts_per_turn = 64;
  size_t post_capacity = 4096;
  Duration stall_limit = milliseconds(5);
  // Besides the metric and a log line; for tests that allow no stall.
  std::function<void(Duration)> on_stall;
};

// Owner: ShardGroup, or a test. Everything but post(), request_stop() and waker() is for the
// shard's own thread, or for any one thread before run(). Failure: aborts when the kernel refuses
// an epoll or event descriptor at construction.
class Shard {
 public:
  explicit Shard(ShardOptions options);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  ShardId id() const { return options_.id; }
  // Until request_stop(). Then everything that is still open gets on_closed(kShutdown).
  void run();
  // One turn, that sleeps at most so long; run() without the thread.
  void turn(Duration max_sleep);

  // Read once per turn.
  const Now& now() const { return now_; }
  TimerWheel& timers() { return timers_; }
  size_t open_sockets() const { return loop_.open_sockets(); }
  // Sockets still wait to be flushed: the last flush used up its budget.
  bool flush_pending() const { return loop_.flush_pending(); }

  // Feeds the unread bytes to the handler before it returns; the socket may then be closed already.
  Socket& adopt(DetachedSocket detached, std::unique_ptr<SocketHandler> handler);
  void listen(Listener listener, AcceptHandler handler, const AcceptOptions& options = {});
  void close_listeners();
  // Called in the order of adding.
  void add_hook(TurnHook& hook) { hooks_.push_back(&hook); }

  // Any thread. False, with the task untouched, when the queue is full or the shard has stopped.
  bool post(Task&& task);
  // As post(), but refuses only when stopped: for completions, whose number their asker bounds.
  bool post_reserved(Task&& task);
  void request_stop();
  Waker& waker() { return waker_; }

 private:
  bool has_work() const;
  int sleep_ms(Duration max_sleep) const;
  void wait(Duration max_sleep);
  void run_posts();
  void end_hooks();
  void measure_turn();

  ShardOptions options_;
  Now now_;
  TimerWheel timers_;
  EpollLoop loop_;
  Waker waker_;
  PostQueue posts_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Acceptor>> stopped_acceptors_;  // until the end of the turn
  std::vector<TurnHook*> hooks_;
  std::atomic<bool> stop_{false};
  log::Limited stall_log_{10'000};
};

// The shards of a process and their threads. Owner: server/. Shard: none; the members are for the
// thread that owns the group, but post() is for any.
class ShardGroup {
 public:
  // Shard i gets the id i.
  explicit ShardGroup(size_t count, const ShardOptions& options = {});
  ~ShardGroup();

  size_t size() const { return shards_.size(); }
  Shard& shard(ShardId id) { return *shards_[id]; }
  std::vector<Waker*> wakers();
  bool post(ShardId id, Task&& task) { return shards_[id]->post(std::move(task)); }
  bool post_reserved(ShardId id, Task&& task) {
    return shards_[id]->post_reserved(std::move(task));
  }

  void start();
  // Stops all and waits for their threads. Idempotent.
  void stop();

 private:
  struct Threads;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace parley::io
