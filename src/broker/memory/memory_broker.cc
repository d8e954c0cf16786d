#include "broker/memory/memory_broker.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::broker::memory {
namespace {

constexpr size_t kKeysExpiredPerRun = 1024;

metrics::Counter idempotent_hits("parley_broker_memory_idempotent_hits_total",
                                 "Publishes that repeated a known idempotency key");

metrics::Counter outdated_versions("parley_broker_memory_outdated_versions_total",
                                   "Publishes whose version was not a new one");

}  // namespace

// Hands one event over, unless its attachment is gone.
struct MemoryBroker::Delivery {
  const AttachmentTable& attachments;
  hub::BrokerEvents& events;

  void operator()(AttachedEvent& event) const {
    if (const Attachment* to = attachments.find(event.attachment))
      events.on_attached(to->channel, to->feed, std::move(event.result));
  }
  void operator()(PublishedEvent& event) const {
    const Attachment* to = event.attachment.exists() ? attachments.find(event.attachment) : nullptr;
    if (to != nullptr) events.on_publication(to->channel, to->feed, std::move(event.publication));
    events.on_published(event.token, event.result);
  }
  void operator()(ReadEvent& event) const { events.on_read(event.token, std::move(event.page)); }
  void operator()(RemovedEvent& event) const { events.on_history_removed(event.token, {}); }
};

MemoryBroker::MemoryBroker(const MemoryBrokerOptions& options, IdSource& ids, const Now& now)
    : now_(now), streams_(ids, options.max_bytes, now.mono), idempotency_(options.idempotency) {}

hub::BrokerCapabilities MemoryBroker::capabilities() const {
  return {.max_level = hub::AckLevel::kAccepted,
          .contiguous_offsets = true,
          .history = true,
          .keyed_compare_and_set = false,
          .atomic_idempotency = true};
}

void MemoryBroker::attach(const hub::ChannelKey& channel,
                          std::shared_ptr<const hub::ChannelOptions> options, hub::FeedId feed) {
  CHECK(channel.aspect == hub::Aspect::kMessages && options);
  Stream& stream = streams_.find_or_create(channel.name, options, now_.mono);
  if (stream.attachment().exists()) attachments_.remove(stream.attachment());
  const AttachmentId id = attachments_.add(channel, feed);
  streams_.attach(stream, id);
  streams_.enforce_budget();  // spares this stream, which is attached now
  queue_.push_back(AttachedEvent{id, {stream.epoch(), stream.base(), stream.top()}});
}

void MemoryBroker::detach(const hub::ChannelKey& channel) {
  CHECK(channel.aspect == hub::Aspect::kMessages);
  Stream* stream = streams_.find(channel.name, now_.mono);
  if (!stream || !stream->attachment().exists()) return;
  attachments_.remove(stream->attachment());
  streams_.detach(*stream);
  streams_.enforce_budget();
}

void MemoryBroker::publish(hub::BrokerToken token, hub::PublishRecord&& record) {
  CHECK(record.channel.aspect == hub::Aspect::kMessages && record.options && record.publication);
  queue_.emplace_back(std::in_place_type<PublishedEvent>, token);
  auto& event = std::get<PublishedEvent>(queue_.back());
  event.result = apply(record, event);
}

MemoryBroker::PublishResult MemoryBroker::apply(hub::PublishRecord& record, PublishedEvent& event) {
  // The namespace's level bounds what may be delivered, so it cannot be promised either.
  if (std::max(record.ack, record.options->level) > hub::AckLevel::kAccepted)
    return std::unexpected(hub::BrokerError::kUnsupported);
  if (record.idempotency_key.empty()) return sequence(record, event);

  std::string scope =
      idempotency_scope(record.channel.name, record.principal, record.idempotency_key);
  const uint64_t digest = content_digest(*record.publication);
  if (const auto* first = idempotency_.find(scope, now_.mono)) {
    if (first->digest != digest) return std::unexpected(hub::BrokerError::kIdempotencyConflict);
    idempotent_hits.add();
    hub::Published again = first->answer;
    again.duplicate = true;
    return again;
  }
  const hub::Published published = sequence(record, event);
  idempotency_.remember(std::move(scope), digest, published, now_.mono);
  return published;
}

hub::Published MemoryBroker::sequence(hub::PublishRecord& record, PublishedEvent& event) {
  const bool retain = record.options->has_history() && !record.skip_history;
  if (record.publication->time == 0) record.publication->time = now_.wall;
  Stream& stream = streams_.find_or_create(record.channel.name, record.options, now_.mono);
  if (retain && record.version != 0 &&
      !streams_.take_version(stream, record.version, record.version_epoch)) {
    outdated_versions.add();
    return {.position = {stream.epoch(), stream.top()}, .prev = stream.top(), .outdated = true};
  }
  const AttachmentId attachment = stream.attachment();
  hub::PublicationPtr publication =
      streams_.append(stream, std::move(record.publication), retain, now_.mono);
  streams_.enforce_budget();

  const hub::Published published{.position = {publication->epoch, publication->offset},
                                 .prev = publication->prev,
                                 .level = hub::AckLevel::kAccepted,
                                 .duplicate = false,
                                 .outdated = false};
  event.attachment = attachment;
  if (attachment.exists()) event.publication = std::move(publication);
  return published;
}

void MemoryBroker::read(hub::BrokerToken token, const hub::ChannelKey& channel,
                        const hub::ReadQuery& query) {
  CHECK(channel.aspect == hub::Aspect::kMessages);
  hub::ReadPage page;
  if (const Stream* stream = streams_.find(channel.name, now_.mono)) {
    page = {stream->epoch(), stream->base(), stream->top(), {}};
    stream->read(query, page.publications);
  } else {
    page.epoch = streams_.epoch_without_stream(channel.name);
  }
  queue_.push_back(ReadEvent{token, std::move(page)});
}

void MemoryBroker::remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) {
  CHECK(channel.aspect == hub::Aspect::kMessages);
  if (Stream* stream = streams_.find(channel.name, now_.mono)) streams_.drop_history(*stream);
  queue_.push_back(RemovedEvent{token});
}

// A page costs whoever asked for it, in the same turn, what its publications cost; a KiB of one as
// much as an event.
size_t MemoryBroker::work_of(const Event& event) {
  const auto* read = std::get_if<ReadEvent>(&event);
  if (read == nullptr) return 1;
  size_t bytes = 0;
  for (const hub::PublicationPtr& publication : read->page.publications)
    bytes += publication->cost();
  return 1 + bytes / 1024;
}

bool MemoryBroker::run(const Now& now, hub::BrokerEvents& events, size_t max_events) {
  now_ = now;
  attachments_.recycle();
  while (max_events > 0 && !queue_.empty()) {
    max_events -= std::min(max_events, work_of(queue_.front()));
    // The callback may make requests, which add to the queue's end: elements stay where they are.
    std::visit(Delivery{attachments_, events}, queue_.front());
    queue_.pop_front();
  }
  streams_.sweep(now.mono);
  idempotency_.expire(now.mono, kKeysExpiredPerRun);
  return !queue_.empty();
}

}  // namespace parley::broker::memory
