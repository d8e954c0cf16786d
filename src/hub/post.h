// What the hubs of a node's shards say to each other, and the port that carries it.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/affinity.h"
#include "hub/control.h"
#include "hub/publish_gate.h"
#include "hub/requester.h"
#include "hub/withdrawal.h"

namespace parley::hub {

// Names one attempt of one shard to follow one channel; chosen by that shard and echoed, so that
// nothing stale is believed.
struct InterestId {
  uint32_t index = 0;
  uint32_t sequence = 0;
  bool operator==(const InterestId&) const = default;
};

// Requests, from any shard to a channel's home. Each is answered exactly once.
struct FollowRequest {
  ChannelKey channel;
  InterestId interest;
};
struct ReadRequest {
  ChannelKey channel;
  ReadQuery query;
};
struct RemoveHistoryRequest {
  ChannelKey channel;
};
struct PresenceChange {
  std::string channel;
  Change change = Change::kEnter;
  ClientInfo member;
  PresenceManner manner;  // of those who enter
};
struct PresenceRequest {
  std::string channel;
  bool counts_only = false;
};
// To every shard: which of your channels match? `pattern` is a glob with * and ?; "" matches all.
struct ChannelsRequest {
  std::string pattern;
};
// To every shard: do this to your sessions. Answered when it is done.
struct ControlRequest {
  ControlPtr control;
  bool spread = false;  // to the one that puts them in order: let every shard do it
};
// To the user's home shard, or to every shard, of which each minds the users that it is home to.
struct StatusRequest {
  enum class Kind : uint8_t { kUpdate, kGet, kDelete };
  Kind kind = Kind::kGet;
  std::shared_ptr<const std::vector<std::string>> users;
};
// To the user's home shard, which counts users: the sender has sessions of this user now, or no
// longer.
struct UserNote {
  uint64_t user = 0;  // a hash of the name
  bool here = false;
  std::string name = {};  // where statuses are kept
};
// To every shard: what the sender asked of you before, for these waiters and users, and is not
// done, is refused.
struct WithdrawRequest {
  std::shared_ptr<const WithdrawnWaiters> waiters;
};
using RequestBody = std::variant<FollowRequest, PublishRecord, ReadRequest, RemoveHistoryRequest,
                                 PresenceChange, PresenceRequest, ChannelsRequest, ControlRequest,
                                 StatusRequest, UserNote, WithdrawRequest>;
struct Request {
  uint64_t waiter = 0;
  RequestBody body;
  RequesterId who{};  // on the asking shard
  Published done{};   // of one that comes back as a Done
};

struct PresenceChanged {};
using ReplyBody =
    std::variant<Attached, Published, ReadPage, HistoryRemoved, PresenceChanged, PresenceSnapshot,
                 PresenceCounts, ChannelCounts, Controlled, UserStatusList>;
struct Reply {
  uint64_t waiter = 0;
  std::expected<ReplyBody, HubError> body;
};
// The reply to a publish that was done, in an empty box of RequestBoxes: `waiter` and `done` count.
struct Done {
  std::unique_ptr<Request> box;
};

// Data, from a channel's home to each interested shard; one FIFO with the replies.
struct Feed {
  InterestId interest;
  PublicationPtr publication;
};
// The home's top of a channel that changed lately: makes a hole at the end of a quiet channel
// visible. `removed`: what lies up to there was removed from history, so tails forget it too.
struct TopNote {
  InterestId interest;
  uint64_t top = 0;
  bool removed = false;
};
struct ResetNote {
  InterestId interest;
  Attached now;
  GapReason reason = GapReason::kEpochChanged;
};
// The shard no longer follows. Names the last interest sent; ignored when the home shard knows a
// newer one.
struct DropInterest {
  ChannelKey channel;
  InterestId interest;
};

// Who holds up publishers of the channel on the sending shard, under `block`.
struct BacklogNote {
  ChannelKey channel;
  InterestId interest;
  Backlog backlog;
};

using HubMessage = std::variant<Feed, TopNote, std::unique_ptr<Request>, Done,
                                std::unique_ptr<Reply>, std::unique_ptr<ResetNote>,
                                std::unique_ptr<DropInterest>, std::unique_ptr<BacklogNote>>;

// What: carries hub messages to other shards; one FIFO per ordered pair. Never waits. Owner: server
// (or the simulator). A request holds a credit from take_credit() until its reply was drained; the
// credit reserves the room for both.
class Post {
 public:
  virtual ~Post() = default;
  virtual bool take_credit(ShardId to) = 0;
  virtual void send_request(ShardId to, HubMessage message) = 0;
  virtual void send_reply(ShardId to, HubMessage message) = 0;
  // Fan-out and notes. False, and `message` is untouched, when there is no room; the sender falls
  // behind by position.
  virtual bool try_send(ShardId to, HubMessage& message) = 0;
};

}  // namespace parley::hub
