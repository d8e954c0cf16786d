// The broker of a single node: sequences and keeps everything in the memory of the home shard.
#pragma once

#include <deque>
#include <variant>

#include "broker/memory/attachment_table.h"
#include "broker/memory/idempotency_window.h"
#include "broker/memory/stream_table.h"
#include "hub/broker.h"

namespace parley::broker::memory {

struct MemoryBrokerOptions {
  size_t max_bytes = 256 << 20;  // of this broker's streams, that is, per shard
  IdempotencyLimits idempotency;
};

// What: hub::Broker without any outside store: requests are applied when they are made, and their
// completions and the feed wait in one queue for run(). Serves message streams only; presence lives
// in the hub. Owner: the server, one per shard. Shard: home. Failure: kUnsupported for a level
// above accepted, kIdempotencyConflict; it is never unavailable, and everything is lost with the
// process.
class MemoryBroker final : public hub::Broker {
 public:
  // `ids` must outlive the broker. Requests before the first run() happen at `now`.
  MemoryBroker(const MemoryBrokerOptions& options, IdSource& ids, const Now& now);

  hub::BrokerCapabilities capabilities() const override;
  void attach(const hub::ChannelKey& channel, std::shared_ptr<const hub::ChannelOptions> options,
              hub::FeedId feed) override;
  void detach(const hub::ChannelKey& channel) override;
  void publish(hub::BrokerToken token, hub::PublishRecord&& record) override;
  void read(hub::BrokerToken token, const hub::ChannelKey& channel,
            const hub::ReadQuery& query) override;
  void remove_history(hub::BrokerToken token, const hub::ChannelKey& channel) override;
  bool run(const Now& now, hub::BrokerEvents& events, size_t max_events) override;

  const StreamTable& streams() const { return streams_; }

 private:
  using PublishResult = std::expected<hub::Published, hub::BrokerError>;
  struct AttachedEvent {
    AttachmentId attachment;
    hub::Attached result;
  };
  // The feed's part goes before the completion.
  struct PublishedEvent {
    hub::BrokerToken token;
    PublishResult result;
    AttachmentId attachment;          // none: nobody follows the channel
    hub::PublicationPtr publication;  // null: nothing new was published
  };
  struct ReadEvent {
    hub::BrokerToken token;
    hub::ReadPage page;
  };
  struct RemovedEvent {
    hub::BrokerToken token;
  };
  using Event = std::variant<AttachedEvent, PublishedEvent, ReadEvent, RemovedEvent>;
  static size_t work_of(const Event& event);
  struct Delivery;

  PublishResult apply(hub::PublishRecord& record, PublishedEvent& event);
  hub::Published sequence(hub::PublishRecord& record, PublishedEvent& event);

  Now now_;
  StreamTable streams_;
  AttachmentTable attachments_;
  IdempotencyWindow idempotency_;
  std::deque<Event> queue_;
};

}  // namespace parley::broker::memory
