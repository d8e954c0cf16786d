#include "tests/support/fake_broker.h"

#include <algorithm>

namespace parley::testing {

using hub::BrokerError;
using hub::BrokerEvents;

FakeBroker::Stream& FakeBroker::stream(const std::string& name) {
  const auto [found, made] = streams_.try_emplace(name);
  if (made) found->second.epoch = {.boot = options_.seed, .counter = ++epochs_};
  return found->second;
}

size_t FakeBroker::attachments() const {
  return static_cast<size_t>(
      std::ranges::count_if(streams_, [](const auto& entry) { return entry.second.attached; }));
}

const std::string* FakeBroker::published(const std::string& name, const hub::Epoch& epoch,
                                         uint64_t offset) const {
  const auto found = log_.find({name, epoch, offset});
  return found == log_.end() ? nullptr : &found->second;
}

std::optional<BrokerError> FakeBroker::take(std::deque<BrokerError>& errors) {
  if (errors.empty()) return std::nullopt;
  const BrokerError error = errors.front();
  errors.pop_front();
  return error;
}

std::vector<std::string> FakeBroker::all_data() const {
  std::vector<std::string> all;
  for (const auto& [position, data] : log_) all.push_back(data);
  return all;
}

void FakeBroker::break_feed(const std::string& name) {
  const hub::Slot slot = hub::slot_of(name);
  for (auto& [key, broken] : streams_) {
    if (hub::slot_of(key) != slot) continue;
    broken.feeding = false;
    ++broken.feed;
  }
  feed([slot](BrokerEvents& events) { events.on_feed_broken({slot}); });
}

void FakeBroker::feed_reset(const std::string& name, hub::GapReason reason) {
  Stream& reset = stream(name);
  ++reset.resets;
  if (!reset.feeding) return;
  feed([this, name, reason, id = reset.feed, now = state(reset)](BrokerEvents& events) {
    if (stream(name).feed == id) events.on_reset({name}, now, reason);
  });
}

void FakeBroker::new_epoch(const std::string& name) {
  Stream& reset = stream(name);
  reset.epoch = {.boot = options_.seed, .counter = ++epochs_};
  reset.base = reset.top = 0;
  reset.kept.clear();
  reset.offsets.clear();
  reset.generation_ends.clear();
  std::erase_if(keys_, [&](const auto& entry) { return std::get<0>(entry.first) == name; });
  feed_reset(name, hub::GapReason::kEpochChanged);
}

void FakeBroker::roll_back_silently(const std::string& name, uint64_t top) {
  Stream& reset = stream(name);
  // Only what was published can have survived.
  while (!reset.offsets.empty() && reset.offsets.back() > top) reset.offsets.pop_back();
  reset.top = reset.offsets.empty() ? 0 : reset.offsets.back();
  reset.base = std::min(reset.base, reset.top);
  while (!reset.kept.empty() && reset.kept.back()->offset > reset.top) reset.kept.pop_back();
  for (uint64_t& end : reset.generation_ends) end = std::min(end, reset.top);
  reset.generation_ends.push_back(reset.top);
  ++reset.epoch.generation;
  std::erase_if(keys_, [&](const auto& entry) {
    return std::get<0>(entry.first) == name && entry.second.position.offset > top;
  });
}

void FakeBroker::roll_back(const std::string& name, uint64_t top) {
  roll_back_silently(name, top);
  feed_reset(name, hub::GapReason::kRolledBack);
}

void FakeBroker::attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions>,
                        hub::FeedId feed_id) {
  ++attaches_;
  Stream& target = stream(channel.name);
  const uint32_t id = ++target.feed;
  const auto error = take(fail_attach);
  target.attached = true;
  target.attached_as = feed_id;
  target.feeding = !error;
  std::expected<hub::Attached, BrokerError> result = state(target);
  if (error) result = std::unexpected(*error);
  feed([this, channel, feed_id, id, result](BrokerEvents& events) {
    if (stream(channel.name).feed == id) events.on_attached(channel, feed_id, result);
  });
}

void FakeBroker::detach(const hub::ChannelKey& channel) {
  Stream& target = stream(channel.name);
  target.attached = target.feeding = false;
  ++target.feed;
}

hub::Published FakeBroker::append(const std::string& name, const hub::ChannelOptions& options,
                                  std::shared_ptr<hub::Publication> publication) {
  Stream& target = stream(name);
  publication->prev = target.top;
  publication->offset = target.top += options_.sparse ? 1 + random_() % 3 : 1;
  publication->epoch = target.epoch;
  target.offsets.push_back(target.top);
  log_[{name, target.epoch, target.top}] = publication->data;
  const hub::PublicationPtr shared = std::move(publication);
  if (options.has_history()) {
    target.kept.push_back(shared);
    while (target.kept.size() > options.history_size) target.kept.pop_front();
  }
  target.base = target.kept.empty() ? target.top : target.kept.front()->prev;
  if (lose_ > 0) {
    --lose_;
  } else if (target.feeding) {
    feed([this, name, shared, id = target.feed](BrokerEvents& events) {
      if (stream(name).feed == id) events.on_publication({name}, stream(name).attached_as, shared);
    });
  }
  return {.position = {shared->epoch, shared->offset}, .prev = shared->prev};
}

void FakeBroker::publish(hub::BrokerToken token, hub::PublishRecord&& record) {
  std::expected<hub::Published, BrokerError> result;
  const auto key = std::make_tuple(record.channel.name, record.principal, record.idempotency_key);
  if (const auto error = take(fail_publish)) {
    result = std::unexpected(*error);
  } else if (const auto known = keys_.find(key);
             !record.idempotency_key.empty() && known != keys_.end()) {
    result = known->second;
    result->duplicate = true;
  } else {
    result = append(record.channel.name, *record.options, std::move(record.publication));
    if (!record.idempotency_key.empty()) keys_[key] = *result;
  }
  done_.push_back([token, result](BrokerEvents& events) { events.on_published(token, result); });
}

hub::ReadPage FakeBroker::page(const Stream& from, const hub::ReadQuery& query) const {
  hub::ReadPage page{.epoch = from.epoch, .base = from.base, .top = from.top};
  size_t bytes = 0;
  const auto add = [&](const hub::PublicationPtr& publication) {
    if (page.publications.size() >= query.limit) return false;
    bytes += publication->cost();
    if (bytes > query.max_bytes && !page.publications.empty()) return false;
    page.publications.push_back(publication);
    return true;
  };
  if (query.reverse) {
    for (auto it = from.kept.rbegin(); it != from.kept.rend(); ++it)
      if ((!query.since || (*it)->offset < *query.since) && !add(*it)) break;
  } else {
    for (const auto& publication : from.kept)
      if (publication->offset > query.since.value_or(0) && !add(publication)) break;
  }
  return page;
}

void FakeBroker::read(hub::BrokerToken token, const hub::ChannelKey& channel,
                      const hub::ReadQuery& query) {
  ++reads_;
  std::expected<hub::ReadPage, BrokerError> result = page(stream(channel.name), query);
  if (const auto error = take(fail_read)) result = std::unexpected(*error);
  done_.push_back([token, result](BrokerEvents& events) { events.on_read(token, result); });
}

void FakeBroker::remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) {
  Stream& target = stream(channel.name);
  target.kept.clear();
  target.base = target.top;
  done_.push_back([token](BrokerEvents& events) { events.on_history_removed(token, {}); });
}

bool FakeBroker::run(const Now&, BrokerEvents& events, size_t max_events) {
  if (hold) return false;
  for (; max_events > 0 && !(feed_.empty() && done_.empty()); --max_events) {
    const bool from_feed = done_.empty() || (!feed_.empty() && random_() % 2 == 0);
    auto& queue = from_feed ? feed_ : done_;
    const Event event = std::move(queue.front());
    queue.pop_front();
    event(events);
  }
  return !feed_.empty() || !done_.empty();
}

}  // namespace parley::testing
