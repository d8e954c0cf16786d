#include "io/shard.h"

#include <algorithm>
#include <thread>

#include "io/meters.h"

namespace parley::io {

Shard::Shard(ShardOptions options)
    : options_(std::move(options)),
      now_(read_clock()),
      timers_(now_.mono),
      loop_(options_.id, timers_, options_.loop),
      posts_(options_.post_capacity) {
  loop_.watch_waker(waker_.fd());
}

Shard::~Shard() = default;

void Shard::run() {
  affinity::set_current(options_.id);
  while (!stop_.load()) turn(seconds(60));
  posts_.close();
  close_listeners();
  loop_.close_all(CloseReason::kShutdown);
  affinity::set_current(kNoShard);
}

void Shard::turn(Duration max_sleep) {
  wait(max_sleep);
  now_ = read_clock();
  meters::turns.add();
  for (TurnHook* hook : hooks_) hook->on_turn_start(now_);
  loop_.dispatch(now_);
  run_posts();
  timers_.advance(now_, options_.timers_per_turn);
  for (TurnHook* hook : hooks_) hook->on_turn(now_);
  end_hooks();
  loop_.flush();
  loop_.reap();
  loop_.serve_watched();
  stopped_acceptors_.clear();
  end_hooks();
  measure_turn();
}

void Shard::wait(Duration max_sleep) {
  int timeout_ms = has_work() ? 0 : sleep_ms(max_sleep);
  if (timeout_ms == 0) return loop_.wait(0);
  waker_.announce_sleep();
  if (has_work()) timeout_ms = 0;
  loop_.wait(timeout_ms);
  waker_.awake();
}

bool Shard::has_work() const {
  return loop_.has_work() || !posts_.empty() || stop_.load() ||
         std::ranges::any_of(hooks_, [](const TurnHook* hook) { return hook->has_work(); });
}

int Shard::sleep_ms(Duration max_sleep) const {
  Duration sleep = max_sleep;
  if (const std::optional<Time> due = timers_.next_due()) {
    sleep = std::min<Duration>(sleep, *due - std::chrono::steady_clock::now());
  }
  for (const TurnHook* hook : hooks_) sleep = std::min(sleep, hook->max_sleep());
  // Up, so that a timer is due when the loop wakes for it.
  return static_cast<int>(
      std::chrono::ceil<milliseconds>(std::max(sleep, Duration::zero())).count());
}

void Shard::run_posts() {
  Task task;
  for (size_t i = 0; i < options_.posts_per_turn && posts_.pop(task); ++i) {
    task();
    task = nullptr;
  }
}

void Shard::end_hooks() {
  for (TurnHook* hook : hooks_) hook->on_turn_end();
}

void Shard::measure_turn() {
  const Time end = std::chrono::steady_clock::now();
  const Duration took = end - now_.mono;
  if (took <= options_.stall_limit) return;
  meters::stalls.add();
  if (took > milliseconds(10)) meters::long_turns.add(meters::LongTurn::k10Ms);
  if (took > milliseconds(50)) meters::long_turns.add(meters::LongTurn::k50Ms);
  if (options_.on_stall) options_.on_stall(took);
  const auto to_ms = [](Duration d) { return std::chrono::duration_cast<milliseconds>(d).count(); };
  if (stall_log_.pass(to_ms(end.time_since_epoch()))) {
    log::warn("a turn of the event loop took too long",
              {{"shard", options_.id}, {"milliseconds", to_ms(took)}});
  }
}

Socket& Shard::adopt(DetachedSocket detached, std::unique_ptr<SocketHandler> handler) {
  Socket& socket = loop_.add(std::move(detached.fd), std::move(handler));
  socket.feed(detached.unread);
  return socket;
}

void Shard::listen(Listener listener, AcceptHandler handler, const AcceptOptions& options) {
  acceptors_.push_back(
      std::make_unique<Acceptor>(loop_, timers_, std::move(listener), std::move(handler), options));
}

void Shard::close_listeners() {
  for (auto& acceptor : acceptors_) {
    acceptor->stop();
    stopped_acceptors_.push_back(std::move(acceptor));
  }
  acceptors_.clear();
}

bool Shard::post(Task&& task) {
  if (!posts_.push(std::move(task))) return false;
  waker_.wake();
  return true;
}

bool Shard::post_reserved(Task&& task) {
  if (!posts_.push_reserved(std::move(task))) return false;
  waker_.wake();
  return true;
}

void Shard::request_stop() {
  stop_.store(true);
  waker_.wake();
}

struct ShardGroup::Threads {
  std::vector<std::jthread> running;
};

ShardGroup::ShardGroup(size_t count, const ShardOptions& options)
    : threads_(std::make_unique<Threads>()) {
  CHECK(count > 0 && count <= metrics::kMaxShards);
  for (size_t i = 0; i < count; ++i) {
    ShardOptions own = options;
    own.id = static_cast<ShardId>(i);
    shards_.push_back(std::make_unique<Shard>(std::move(own)));
  }
}

ShardGroup::~ShardGroup() { stop(); }

std::vector<Waker*> ShardGroup::wakers() {
  std::vector<Waker*> all;
  all.reserve(shards_.size());
  for (const auto& shard : shards_) all.push_back(&shard->waker());
  return all;
}

void ShardGroup::start() {
  CHECK(threads_->running.empty());
  for (const auto& shard : shards_) threads_->running.emplace_back([&shard] { shard->run(); });
}

void ShardGroup::stop() {
  for (const auto& shard : shards_) shard->request_stop();
  threads_->running.clear();
}

}  // namespace parley::io
