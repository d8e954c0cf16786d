// Who asks the hub something, and what comes back. An answer is always a later input, never a call
// from within the request.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "hub/broker.h"
#include "hub/control.h"
#include "hub/user_statuses.h"

namespace parley::hub {

// Chosen by the requester for each request; comes back with the answer.
using StepId = uint32_t;

enum class HubError : uint8_t {
  kUnknownChannel,       // no namespace of that name
  kNotAvailable,         // the channel's namespace has this feature off
  kUnsupportedKind,      // the namespace does not take this content kind
  kInvalidData,          // the data are not in the namespace's format
  kIdempotencyConflict,  // the key was used with other bytes
  kOverloaded,           // not done; try again later
  kRateLimited,          // not done: the channel has had as many as it may for now
  kRevoked,              // not done: whoever asked has lost the right to it while it waited
  kUnavailable,          // broker trouble; the outcome of a publish may be unknown
};

// All who ask between two changes share one list.
struct PresenceSnapshot {
  std::shared_ptr<const std::vector<ClientInfo>> list;  // null: nobody
  size_t bytes = 0;                                     // of the members' fields together
  std::span<const ClientInfo> members() const {
    return list ? std::span(*list) : std::span<const ClientInfo>();
  }
  StreamPosition position;  // of the presence stream
};
struct PresenceCounts {
  uint64_t clients = 0;
  uint64_t users = 0;
};
struct HistoryRemoved {};
// Channels that have subscribers, with how many.
struct ChannelCounts {
  std::map<std::string, uint64_t> subscribers;
};

// Of the users that were asked for, those of whom something is known.
struct UserStatusList {
  std::vector<UserStatus> statuses;
};

using AnswerValue = std::variant<Published, ReadPage, PresenceSnapshot, PresenceCounts,
                                 HistoryRemoved, ChannelCounts, Controlled, UserStatusList>;
using Answer = std::expected<AnswerValue, HubError>;

// A requester's name at its hub; a stale one (the requester is gone) is simply not called any more.
struct RequesterId {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  bool operator==(const RequesterId&) const = default;
};

// For whom a requester asks: what others need too, one client may not take whole, and some of it is
// kept for the operator.
enum class RequesterRole : uint8_t { kClient, kManyClients, kOperator };

// Implemented by sessions and by API handlers. Shard: its hub's. Must be removed from the hub
// before it dies.
class Requester {
 public:
  virtual ~Requester() = default;
  virtual void on_answer(StepId step, Answer answer) = 0;
  // The answer to a publish that was done: nearly all of them are this one.
  virtual void on_published(StepId step, const Published& published) {
    on_answer(step, Answer(published));
  }
  // Whether it can be given a page of history now. Who says no calls Hub::resume_pages() later.
  virtual bool takes_pages() { return true; }
  // Of the sessions that supersede the others of their user it is not the newest.
  virtual void on_outranked() {}
  // Of those that ask for many clients: something was revoked that may be one of these's. Hub's
  // withdraw() is for them to call.
  virtual void on_revoked() {}
};

}  // namespace parley::hub
