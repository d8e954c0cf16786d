// The port behind which publications are sequenced, stored and carried between nodes.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "hub/channel_key.h"
#include "hub/channel_options.h"
#include "hub/publication.h"

namespace parley::hub {

// Chosen by the hub for each request and echoed in its completion.
using BrokerToken = uint64_t;
// Chosen by the hub for each attach(), never twice, and echoed with what that feed brings.
using FeedId = uint64_t;

enum class BrokerError : uint8_t {
  kUnavailable,          // no connection, or the store is poisoned; the outcome may be unknown
  kOverloaded,           // bounded queue full; certainly not applied
  kIdempotencyConflict,  // same key with other bytes
  kUnsupported,          // this broker cannot do that
};

// What a namespace may ask for. Configuration refuses a namespace whose needs its broker lacks.
struct BrokerCapabilities {
  AckLevel max_level = AckLevel::kAccepted;
  bool contiguous_offsets = false;  // offset == prev + 1, always
  bool history = false;
  bool keyed_compare_and_set = false;
  bool atomic_idempotency = false;  // key and publication are applied together
};

// Answer to attach(): the feed starts exactly behind `top`.
struct Attached {
  Epoch epoch;
  uint64_t base = 0;  // everything behind this offset is still readable (0: from the beginning)
  uint64_t top = 0;   // the watermark: the last offset that may be delivered or read
  // Last surviving offset of each older generation, by generation. Empty when the sequencer never
  // restarted.
  std::vector<uint64_t> generation_ends;
};

// One publish on its way to the sequencer. `publication` lacks offset, prev and epoch, which the
// sequencer sets.
struct PublishRecord {
  ChannelKey channel;
  std::shared_ptr<const ChannelOptions> options;
  std::shared_ptr<Publication> publication;  // nobody else's until it is sequenced
  std::string principal;                     // scope of the idempotency key
  std::string idempotency_key;               // "" when the client gave none and the broker is local
  AckLevel ack = AckLevel::kAccepted;
  bool skip_history = false;
  bool metered = false;  // of a client, whom the channel's rate is for; not of the server itself
  // Where the channel keeps history: not applied unless it is above the last version, which the
  // stream remembers with its top offset. Versions of another `version_epoch` do not compare; an
  // empty one compares with all. 0: none.
  uint64_t version = 0;
  std::string version_epoch;

  // As a new one, but strings keep their room.
  void clear() {
    channel.name.clear();
    channel.aspect = Aspect::kMessages;
    options.reset();
    publication.reset();
    principal.clear();
    idempotency_key.clear();
    ack = AckLevel::kAccepted;
    skip_history = metered = false;
    version = 0;
    version_epoch.clear();
  }
};

struct Published {
  StreamPosition position;
  uint64_t prev = 0;
  AckLevel level = AckLevel::kAccepted;  // the level reached
  bool duplicate = false;                // the key was seen before; position is the first one's
  bool outdated = false;  // the version is not a new one: not applied; position is the stream's
};

struct ReadQuery {
  std::optional<uint64_t>
      since;           // exclusive; none: from the start (or, in reverse, from the newest)
  uint32_t limit = 0;  // publications; 0: position only
  size_t max_bytes =
      SIZE_MAX;          // stop after this much data, but always give at least one publication
  bool reverse = false;  // newest first, down from `since` (exclusive)
};

struct ReadPage {
  Epoch epoch;
  uint64_t base = 0;  // see Attached::base
  uint64_t top = 0;
  std::vector<PublicationPtr> publications;
};

// Where a broker's completions and feed go. Called only from within Broker::run(), on the broker's
// shard.
class BrokerEvents {
 public:
  virtual ~BrokerEvents() = default;
  // `feed` is the one given to attach(), here and in on_publication(); of an older one it is stale,
  // counted and ignored.
  virtual void on_attached(const ChannelKey& channel, FeedId feed,
                           std::expected<Attached, BrokerError> result) = 0;
  virtual void on_published(BrokerToken token, std::expected<Published, BrokerError> result) = 0;
  virtual void on_read(BrokerToken token, std::expected<ReadPage, BrokerError> page) = 0;
  virtual void on_history_removed(BrokerToken token, std::expected<void, BrokerError> result) = 0;
  // The feed of an attached channel: in offset order, each exactly once or after on_feed_broken,
  // never above the watermark.
  virtual void on_publication(const ChannelKey& channel, FeedId feed,
                              PublicationPtr publication) = 0;
  // The history of an attached channel was lost or rolled back; its feed goes on behind `top` under
  // the new epoch. Of a feed that is over no reset may be told.
  virtual void on_reset(const ChannelKey& channel, const Attached& now, GapReason reason) = 0;
  // Feed messages may have been lost for these slots: every attached channel in them compares tops
  // and reads what is missing.
  virtual void on_feed_broken(const std::vector<Slot>& slots) = 0;
};

// What: sequences publications, keeps history, carries the feed. Everything is asynchronous: no
// method calls back before it returned; completions come from run(), in the order in which a
// channel's requests were made. Owner: the server, one per shard; serves the channels whose home
// that shard is. Shard: home. Failure: each request completes exactly once, with BrokerError if it
// must. The contract suite in tests/contract/broker_contract.h holds for every implementation.
class Broker {
 public:
  virtual ~Broker() = default;
  virtual BrokerCapabilities capabilities() const = 0;

  // Starts the feed of a channel; at most one attachment per channel. Attaching again, as another
  // feed, restarts it. An attached channel keeps its epoch and top: live interest pins them.
  virtual void attach(const ChannelKey& channel, std::shared_ptr<const ChannelOptions> options,
                      FeedId feed) = 0;
  virtual void detach(const ChannelKey& channel) = 0;
  virtual void publish(BrokerToken token, PublishRecord&& record) = 0;
  virtual void read(BrokerToken token, const ChannelKey& channel, const ReadQuery& query) = 0;
  // Forgets the publications, keeps epoch and top offset.
  virtual void remove_history(BrokerToken token, const ChannelKey& channel) = 0;

  // Delivers what is due, at most `max_events`; expires what is old. Returns whether more is
  // waiting.
  virtual bool run(const Now& now, BrokerEvents& events, size_t max_events) = 0;
};

}  // namespace parley::hub
