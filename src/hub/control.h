// What an application's backend, or a newer session of the same user, asks of living sessions, in
// hub words, and who carries it out.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/affinity.h"
#include "base/bytes.h"
#include "base/time.h"

namespace parley::hub {

// A position as the backend writes it; nobody has compared its epoch yet. It stands outside Control
// because an optional of a nested struct with initializers cannot be emplaced everywhere (CWG
// 1397).
struct ClaimedPosition {
  uint64_t offset = 0;
  std::string epoch;
};

// The one order of a node's sessions: the newer ranks higher. No two are equal.
struct Rank {
  Time opened{};
  ShardId shard = 0;
  uint32_t number = 0;  // among those that its shard opened
  auto operator<=>(const Rank&) const = default;
};

// Addresses sessions and says what to do with them. Immutable once it is sent: all shards share it.
struct Control {
  // kSupersede: ends those that rank below `rank`.
  enum class Kind : uint8_t { kSubscribe, kUnsubscribe, kDisconnect, kRefresh, kSupersede };
  // What differs from the channel's namespace; nothing: as the namespace says.
  struct Overrides {
    std::optional<bool> presence;
    std::optional<bool> join_leave;
    std::optional<bool> force_recovery;
    std::optional<bool> force_positioning;
    std::optional<bool> force_push_join_leave;
  };

  Kind kind = Kind::kDisconnect;

  // Whom: all sessions of this user; "" is the anonymous user, not everybody. Each of the others
  // narrows it down, unless it is "".
  std::string user;
  std::string client;
  std::string session;
  std::vector<std::string> whitelist;  // client ids that a disconnect leaves alone

  std::string channel;         // kSubscribe, kUnsubscribe
  int64_t expire_at = 0;       // seconds since 1970; 0: not said. kSubscribe, kRefresh
  bool expired = false;        // kRefresh: it has expired now
  std::optional<Buffer> info;  // JSON. kSubscribe: of the channel; kRefresh: of the connection
  Buffer data;                 // kSubscribe: JSON for the client
  std::optional<ClaimedPosition> recover_since;  // kSubscribe
  Overrides overrides;                           // kSubscribe

  Rank rank;  // kSupersede: of the session that the others give way to

  uint16_t code = 0;   // kDisconnect: what the client is told, in the numbers of the Centrifuge
  std::string reason;  // protocol; others carry what they can

  // What it counts against budgets in bytes.
  size_t cost() const {
    size_t bytes = sizeof(Control) + user.size() + client.size() + session.size() + channel.size() +
                   data.size() + reason.size() + (info ? info->size() : 0);
    for (const std::string& kept : whitelist) bytes += sizeof(std::string) + kept.size();
    return bytes;
  }
};
using ControlPtr = std::shared_ptr<const Control>;

// A control has reached every session that it addresses.
struct Controlled {
  // kSupersede: one of them wants to be the only one as well, and is newer.
  bool outranked = false;
};

// Carries controls out, one at a time and in the order in which they came. Implemented by the
// sessions' table; shard: its hub's.
class ControlSink {
 public:
  virtual ~ControlSink() = default;
  // Begins with `control`, or goes on with it after an earlier call said false. Takes what it did
  // off `budget`, which counts sessions. Returns whether all that existed when it began are done;
  // `result` is kept for it until then.
  virtual bool apply(const Control& control, size_t& budget, Controlled& result) = 0;
};

}  // namespace parley::hub
