// How a request that belongs to a session, but came on a line of its own, finds it. Why so:
// docs/adr/0015-push-and-uplink.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/affinity.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/shard_calls.h"

namespace parley::session {

// Names a session to its own client: who shows it may send into it. A value.
struct UplinkKey {
  ShardId shard = kNoShard;
  uint32_t place = 0;  // in the shard's table
  uint64_t secret[2] = {};
};
std::string to_string(const UplinkKey& key);
// Nothing: no key of this server looks like that.
std::optional<UplinkKey> parse_uplink_key(std::string_view text);

// A request with a message for a session, as its protocol writes it.
struct UplinkMessage {
  std::string session;  // the key; "": of another node
  Buffer data;
};

enum class Delivery : uint8_t {
  kTaken,    // given to the session, or waits where it is next
  kEnding,   // dropped: the session has ended, and its client is being told so
  kUnknown,  // there is no such session, or no longer
  kTooMuch,  // more waits for the session than may
  kBusy,     // the session's shard does not keep up
};
inline constexpr size_t kDeliveries = 5;

// The end of a session's uplink. Implemented by transports; borrowed by Uplinks.
class UplinkSink {
 public:
  // Everything but kTaken drops the message; with kTooMuch the session is on its way out.
  virtual Delivery take(Buffer&& message) = 0;

 protected:
  ~UplinkSink() = default;
};

// What the shards of a node say to each other about uplinks.
struct UplinkRequest {
  UplinkKey key;
  Buffer message;
};
struct UplinkMail {
  std::unique_ptr<UplinkRequest> request;  // null: an answer
  uint32_t place = 0;                      // where the asker waits
  Delivery answer = Delivery::kTaken;
};

using UplinkPost = ShardPost<UplinkMail>;

struct UplinkLimits {
  // What waits on one shard for credits of others; above: kBusy.
  size_t parked_requests = 4096;
  size_t parked_bytes = 4 << 20;
};

// What: the uplinks of the sessions on one shard, and the way to those of the others. Messages of
// one caller to one session arrive in the order in which they were answered. Owner: the server, one
// per shard; outlives the sinks and the callers. Shard: its own. Failure: each delivery is answered
// exactly once, with what became of it.
class Uplinks {
 public:
  using Answer = std::move_only_function<void(Delivery)>;

  // Borrows post and ids. A node of `shards`, of which this is `self`.
  Uplinks(ShardId self, size_t shards, UplinkPost& post, IdSource& ids,
          const UplinkLimits& limits = {});

  // From now on messages that show the key reach the sink.
  UplinkKey open(UplinkSink& sink);
  // Once for each open().
  void close(const UplinkKey& key);
  size_t open_uplinks() const { return rows_.size() - free_.size(); }

  // `text` names the key. `answer` is called during the call, or in a later turn.
  void deliver(std::string_view text, Buffer message, Answer answer);
  // From another shard's Uplinks.
  void receive(ShardId from, UplinkMail&& mail);

 private:
  struct Row {
    UplinkSink* sink = nullptr;
    uint64_t secret[2] = {};
  };

  Delivery take(const UplinkKey& key, Buffer&& message);

  const ShardId self_;
  UplinkPost& post_;
  IdSource& ids_;
  ShardCalls<UplinkMail, Answer> calls_;
  std::vector<Row> rows_;
  std::vector<uint32_t> free_;
};

}  // namespace parley::session
