// What an application's backend, or a newer session of the same user, asks of living sessions, in
// hub words, and who carries it out.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  enum class Kind : uint8_t {
    kSubscribe,
    kUnsubscribe,
    kDisconnect,
    kRefresh,
    kSupersede,  // ends those that rank below `rank`
    // These are remembered, for whoever comes later, besides what they do to those who are there.
    kBlock,       // the user is not let in
    kUnblock,     // ... is again
    kRevoke,      // the token with the id `token` is good no longer
    kInvalidate,  // nor are the user's that were issued before `issued_before`; with `channel`, its
                  // subscription tokens for that
    kList,        // does nothing: says who is there
  };
  // What differs from the channel's namespace; nothing: as the namespace says.
  struct Overrides {
    std::optional<bool> presence;
    std::optional<bool> join_leave;
    std::optional<bool> force_recovery;
    std::optional<bool> force_positioning;
    std::optional<bool> force_push_join_leave;
  };

  Kind kind = Kind::kDisconnect;

  // Whom: all sessions of this user; "" is the anonymous user, not everybody (but with kRevoke and
  // kList, where it is everybody). Each of the others narrows it down, unless it is "".
  std::string user;
  std::string client;
  std::string session;
  std::vector<std::string> whitelist;  // client ids that a disconnect leaves alone

  std::string channel;         // kSubscribe, kUnsubscribe, kInvalidate
  std::string token;           // kRevoke
  int64_t issued_before = 0;   // seconds since 1970. kInvalidate
  int64_t expire_at = 0;       // seconds since 1970; 0: not said. Of what is remembered: 0 is never
  size_t most = 0;             // kList: of all shards together
  bool expired = false;        // kRefresh: it has expired now
  std::optional<Buffer> info;  // JSON. kSubscribe: of the channel; kRefresh: of the connection
  Buffer data;                 // kSubscribe: JSON for the client
  std::optional<ClaimedPosition> recover_since;  // kSubscribe
  Overrides overrides;                           // kSubscribe

  Rank rank;  // kSupersede: of the session that the others give way to

  uint16_t code = 0;   // kDisconnect: what the client is told, in the numbers of the Centrifuge
  std::string reason;  // protocol; others carry what they can

  bool is_remembered() const { return kind >= Kind::kBlock && kind <= Kind::kInvalidate; }
  // What it counts against budgets in bytes.
  size_t cost() const {
    size_t bytes = sizeof(Control) + user.size() + client.size() + session.size() + channel.size() +
                   token.size() + data.size() + reason.size() + (info ? info->size() : 0);
    for (const std::string& kept : whitelist) bytes += sizeof(std::string) + kept.size();
    return bytes;
  }
};
using ControlPtr = std::shared_ptr<const Control>;

// What the backend may know of one session.
struct ConnectionFacts {
  struct Token {
    std::string uid;        // "": none
    int64_t issued_at = 0;  // seconds since 1970; 0: not said
    bool known() const { return !uid.empty() || issued_at != 0; }
  };
  std::string client;  // unlike any other's
  std::string user;
  std::string app_name;
  std::string app_version;
  std::string transport;
  std::string protocol;
  std::vector<std::string> channels;
  Token token;
  std::vector<std::pair<std::string, Token>> subscription_tokens;  // by channel
  Buffer meta;                                                     // JSON; may be empty

  size_t cost() const {
    size_t bytes = sizeof(ConnectionFacts) + user.size() + meta.size();
    for (const std::string& channel : channels) bytes += sizeof(channel) + channel.size();
    for (const auto& [channel, shown] : subscription_tokens)
      bytes += sizeof(Token) + channel.size() + shown.uid.size();
    return bytes;
  }
};

// A control has reached every session that it addresses.
struct Controlled {
  // kSupersede: one of them wants to be the only one as well, and is newer.
  bool outranked = false;
  std::vector<ConnectionFacts> connections = {};  // kList
  size_t bytes = 0;                               // ... what they cost
  bool cut = false;                               // ... there are more
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
  // Whether one more control can be remembered.
  virtual bool has_room(const Control&) const { return false; }
  // At once, before it is applied: who comes from here on finds it.
  virtual void remember(const Control&) {}
};

}  // namespace parley::hub
