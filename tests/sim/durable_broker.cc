#include "tests/sim/durable_broker.h"

#include <utility>

namespace parley::sim {

using hub::AckLevel;
using hub::BrokerError;
using hub::BrokerEvents;

DurableStore::Stream& DurableStore::stream(const std::string& channel) {
  const auto [found, made] = streams_.try_emplace(channel);
  if (made) found->second.epoch = {.boot = 90u + shard_, .counter = ++epochs_};
  return found->second;
}

void DurableStore::sync() {
  for (auto& [name, stream] : streams_) stream.synced = stream.top;
}

void DurableStore::roll_back() {
  for (auto& [name, stream] : streams_) {
    const bool lost = stream.top != stream.synced;
    if (lost) sim_.note("{} is rolled back from {} to {}", name, stream.top, stream.synced);
    while (!stream.kept.empty() && stream.kept.back()->offset > stream.synced)
      stream.kept.pop_back();
    stream.top = stream.synced;
    stream.base = stream.kept.empty() ? stream.top : stream.kept.front()->prev;
    stream.generation_ends.push_back(stream.top);
    ++stream.epoch.generation;
    ledger_.rolled_back(name, stream.epoch, stream.top, lost);
  }
  std::erase_if(keys_, [&](const auto& key) {
    return key.second.offset > streams_.at(std::get<0>(key.first)).synced;
  });
}

DurableBroker::DurableBroker(Simulation& sim, DurableStore& store, Duration sync_every,
                             std::function<void()> news)
    : sim_(sim), store_(store), sync_every_(sync_every), news_(std::move(news)) {}

hub::BrokerCapabilities DurableBroker::capabilities() const {
  return {.max_level = AckLevel::kDurable,
          .contiguous_offsets = true,
          .history = true,
          .atomic_idempotency = true};
}

void DurableBroker::poison() {
  poisoned_ = true;
  for (Unsynced& waiting : std::exchange(unsynced_, {})) tell(std::move(waiting.failed));
}

uint64_t DurableBroker::visible(const std::string& channel) {
  const DurableStore::Stream& stream = store_.stream(channel);
  return levels_[channel] == AckLevel::kDurable ? stream.synced : stream.top;
}

void DurableBroker::wait_for_sync() {
  if (std::exchange(syncing_, true)) return;
  sim_.time.after(sim_.between(Duration(0), sync_every_), [this, alive = alive_] {
    if (*alive) synced();
  });
}

void DurableBroker::synced() {
  syncing_ = false;
  if (poisoned_) return;
  store_.sync();
  for (Unsynced& waiting : std::exchange(unsynced_, {})) tell(std::move(waiting.told));
}

void DurableBroker::attach(const hub::ChannelKey& key,
                           std::shared_ptr<const hub::ChannelOptions> options, hub::FeedId feed) {
  levels_[key.name] = options->level;
  attached_[key.name] = feed;
  tell([this, key, feed,
        now = store_.stream(key.name).attached(visible(key.name))](BrokerEvents& events) {
    const auto found = attached_.find(key.name);
    if (found != attached_.end() && found->second == feed) events.on_attached(key, feed, now);
  });
}

void DurableBroker::publish(hub::BrokerToken token, hub::PublishRecord&& record) {
  if (record.publication->time == 0) record.publication->time = sim_.now().wall;
  const std::string channel = record.channel.name;
  const AckLevel level = std::max(record.ack, record.options->level);
  levels_[channel] = record.options->level;
  const auto answer = [token](std::expected<hub::Published, BrokerError> result) {
    return [token, result](BrokerEvents& events) { events.on_published(token, result); };
  };
  const Event failed = answer(std::unexpected(BrokerError::kUnavailable));
  if (poisoned_) return tell(failed);
  const bool waits = level == AckLevel::kDurable;
  const KeyScope scope{channel, record.principal, record.idempotency_key};
  if (const auto known = store_.keys().find(scope);
      !record.idempotency_key.empty() && known != store_.keys().end()) {
    if (!known->second.answer.is_of(*record.publication))
      return tell(answer(std::unexpected(BrokerError::kIdempotencyConflict)));
    hub::Published again = known->second.answer.answer;
    again.duplicate = true;
    again.level = level;
    // The first may not be synced yet.
    if (!waits || known->second.offset <= store_.stream(channel).synced) return tell(answer(again));
    unsynced_.push_back({answer(again), failed});
    return wait_for_sync();
  }
  const auto publication = store_.stream(channel).append(std::move(record.publication),
                                                         *record.options, record.skip_history, 1);
  const hub::Published published{.position = {publication->epoch, publication->offset},
                                 .prev = publication->prev,
                                 .level = level};
  if (!record.idempotency_key.empty())
    store_.keys()[scope] = {publication->offset, {publication, published}};
  const auto attached = attached_.find(channel);
  const hub::FeedId feed = attached == attached_.end() ? 0 : attached->second;
  const Event fed = [this, channel, publication, feed](BrokerEvents& events) {
    const auto found = attached_.find(channel);
    if (found != attached_.end() && found->second == feed)
      events.on_publication({channel}, feed, publication);
  };
  // Who attaches before it is synced has it still before them.
  const Event fed_synced = [this, channel, publication](BrokerEvents& events) {
    const auto found = attached_.find(channel);
    if (found != attached_.end()) events.on_publication({channel}, found->second, publication);
  };
  const Event nothing = [](BrokerEvents&) {};
  const bool hidden = record.options->level == AckLevel::kDurable;
  if (!hidden) tell(fed);
  if (!waits) tell(answer(published));
  if (hidden) unsynced_.push_back({fed_synced, nothing});
  if (waits) unsynced_.push_back({answer(published), failed});
  wait_for_sync();
}

void DurableBroker::read(hub::BrokerToken token, const hub::ChannelKey& channel,
                         const hub::ReadQuery& query) {
  auto page = store_.stream(channel.name).page(query, visible(channel.name));
  tell([token, page = std::move(page)](BrokerEvents& events) { events.on_read(token, page); });
}

void DurableBroker::remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) {
  DurableStore::Stream& stream = store_.stream(channel.name);
  std::erase_if(stream.kept, [&](const auto& p) { return p->offset <= visible(channel.name); });
  stream.base = stream.kept.empty() ? stream.top : stream.kept.front()->prev;
  tell([token](BrokerEvents& events) { events.on_history_removed(token, {}); });
}

bool DurableBroker::run(const Now&, BrokerEvents& events, size_t max_events) {
  for (; max_events > 0 && !ready_.empty(); --max_events) {
    const Event event = std::move(ready_.front());
    ready_.pop_front();
    event(events);
  }
  return !ready_.empty();
}

}  // namespace parley::sim
