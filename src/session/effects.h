// What an adapter's handler wants done. Bytes are appended to the outbox at once; commands and
// timers run, in order, after the handler has returned; answers are always later inputs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/quotas.h"
#include "session/adapter.h"
#include "session/variant.h"

namespace parley::session {

class Session;
struct Outbox;

struct SubscribeCommand {
  SubscriptionHandle handle = 0;
  hub::ChannelKey channel;
  hub::Start start;
};
struct RewindCommand {
  SubscriptionHandle handle = 0;
  uint64_t offset = 0;
};
struct RenewCommand {
  SubscriptionHandle handle = 0;
};
struct UnsubscribeCommand {
  SubscriptionHandle handle = 0;
};
struct PublishCommand {
  hub::StepId step = 0;
  std::unique_ptr<hub::PublishRecord> record;
};
struct HistoryCommand {
  hub::StepId step = 0;
  std::string channel;
  hub::ReadQuery query;
};
struct PresenceCommand {
  hub::StepId step = 0;
  std::string channel;
  bool counts_only = false;
};
struct VerifyCommand {
  hub::StepId step = 0;
  auth::TokenUse use = auth::TokenUse::kConnect;
  std::string token;
};
struct HoldCommand {
  bool held = false;
};
struct AwaitSentCommand {};
struct EnterPresenceCommand {
  SubscriptionHandle handle = 0;
  hub::ClientInfo member;
  std::optional<hub::PresenceManner> manner;
};
struct TimerCommand {
  TimerId timer = TimerId::kOther;
  Duration after{-1};  // negative: cancel
};
struct IdentifyCommand {};
struct NoteActiveCommand {
  hub::StepId step = 0;
};
struct SupersedeCommand {};
struct EndCommand {
  EndReason reason = EndReason::kClientLeft;
};
using Command = std::variant<SubscribeCommand, RewindCommand, RenewCommand, UnsubscribeCommand,
                             PublishCommand, HistoryCommand, PresenceCommand, VerifyCommand,
                             HoldCommand, AwaitSentCommand, EnterPresenceCommand, TimerCommand,
                             IdentifyCommand, NoteActiveCommand, SupersedeCommand, EndCommand>;

// What: one reused object per shard, bound to one session during one handler call. Owner:
// SessionTable. Shard: own. Nothing follows end(): later calls of the same handler are ignored.
class Effects {
 public:
  const Now& now() const { return *now_; }
  IdSource& ids() { return *ids_; }
  // A random duration in [from, to), to spread what would otherwise happen together.
  Duration random_between(Duration from, Duration to);

  // One message to the client, behind everything sent before. Must not be empty, except over
  // WebSocket.
  void send(ByteView message) { send_after(0, 0, message); }
  // ... but not before publications of the subscription up to `offset`: a publisher sees its
  // publication before its reply.
  void send_after(SubscriptionHandle handle, uint64_t offset, ByteView message);
  // Connection-scoped frames only (pings): passes the data.
  void send_urgent(ByteView message);
  // The client's next message comes when everything that was sent has left: for answers as large as
  // the client likes.
  void await_sent() { add(AwaitSentCommand{}); }
  // How much may still be queued by send().
  size_t room() const;
  // A buffer to build a message in; contents are gone with the next handler call.
  Buffer& scratch() {
    scratch_.clear();
    return scratch_;
  }

  SubscriptionHandle subscribe(hub::ChannelKey channel, hub::Start start, Variant variant = {});
  // What subscribe() was given. Null: plain, or gone.
  const Variant* variant(SubscriptionHandle handle) const;
  // A message of the adapter's own gave the client the publication with this offset: the next may
  // be a change of it.
  void sent(SubscriptionHandle handle, uint64_t offset);
  // The number of a live subscription's channel (hub::LocalChannel::number); 0: it is not live.
  uint64_t channel_number(SubscriptionHandle handle) const;
  // Where the subscription's reader stands: behind the last publication it was given, or behind the
  // gap that is being told. An unknown epoch while it is not live.
  hub::StreamPosition position(SubscriptionHandle handle) const;
  // What the subscription follows; nullptr when there is no such subscription.
  const hub::ChannelKey* channel(SubscriptionHandle handle) const;
  // The reader goes on behind `offset`, which it stood at or had passed: what follows is delivered
  // as its publications, at the client's pace. For live subscriptions.
  void rewind(SubscriptionHandle handle, uint64_t offset) { add(RewindCommand{handle, offset}); }
  // In on_verified(), of a token for a subscription that is there already: from now on it lives by
  // this token, and ends when it is revoked. Not for tokens that the adapter refuses.
  void renew(SubscriptionHandle handle) { add(RenewCommand{handle}); }
  // At once, and quietly: the adapter says itself what its protocol wants said.
  void unsubscribe(SubscriptionHandle handle) { add(UnsubscribeCommand{handle}); }
  void publish(hub::StepId step, hub::PublishRecord&& record) {
    if (!ended_) publish(step) = std::move(record);
  }
  // The same, to be filled in before anything else is asked for: an empty record, whose strings
  // have room. Not after end().
  hub::PublishRecord& publish(hub::StepId step);
  void history(hub::StepId step, std::string channel, hub::ReadQuery query) {
    add(HistoryCommand{step, std::move(channel), query});
  }
  void presence(hub::StepId step, std::string channel, bool counts_only) {
    add(PresenceCommand{step, std::move(channel), counts_only});
  }
  // Answered by on_verified(), whether keys must be fetched first or not.
  void verify(hub::StepId step, auth::TokenUse use, std::string token) {
    add(VerifyCommand{step, use, std::move(token)});
  }
  // No publications go out until this is taken back: a reply is still to come that must precede
  // those of several subscriptions.
  void hold_publications(bool held) { add(HoldCommand{held}); }
  // The session is present in the channel of a live subscription, as its identity says, until that
  // subscription ends, in its own manner or in that of the namespace. Entering again changes what
  // is shown of it.
  void enter_presence(SubscriptionHandle handle, hub::ClientInfo member,
                      std::optional<hub::PresenceManner> manner = std::nullopt) {
    add(EnterPresenceCommand{handle, std::move(member), manner});
  }
  void set_timer(TimerId timer, Duration after) { add(TimerCommand{timer, after}); }
  void cancel_timer(TimerId timer) { add(TimerCommand{timer, Duration(-1)}); }
  // Whether the client may do this now, by what the node allows its user and its address. To be
  // asked for each command; not for what ends something.
  bool may(Operation operation) const;
  // To be asked for each publish of the client: false while it sends so much faster than it is
  // served that the publish comes too late; to be refused as "try again later".
  bool takes_publishes();
  // Before identify(), so that what would follow it need not be begun: whether the user may have
  // one more session; if not, end with EndReason::kUserLimit. `always`: it may, since its others
  // will end. identify() asks for those who did not.
  bool enter(std::string_view user, bool always = false);
  // The client's machine confirms nothing, not even that it received something, and has not for so
  // long. For protocols whose clients answer no ping.
  bool unheard(Duration time) const;
  // It is known now whose session this is: Adapter::identity() says it. Controls find it from here
  // on. Once per session. Ends it where its user is blocked, or its token was revoked meanwhile.
  void identify();
  // The session's user shows a sign of life; answered like a request.
  void note_active(hub::StepId step) { add(NoteActiveCommand{step}); }
  // Behind identify(), of a named user, once: its older sessions end, on every shard, whatever
  // their protocol, with EndReason::kSuperseded; and so does this one, if a newer one wants the
  // same.
  void supersede() { add(SupersedeCommand{}); }
  void end(EndReason reason);
  bool ended() const { return ended_; }

 private:
  friend class Session;
  friend class SessionTable;
  void end_as_slow();  // too much waits for the client
  // For the next publish.
  void give_back(std::unique_ptr<hub::PublishRecord> record);
  void add(Command command) {
    if (!ended_) commands_.push_back(std::move(command));
  }

  const Now* now_ = nullptr;
  IdSource* ids_ = nullptr;
  Session* session_ = nullptr;
  std::vector<Command> commands_;
  std::vector<std::unique_ptr<hub::PublishRecord>> spare_records_;
  Buffer scratch_;
  bool ended_ = false;
};

}  // namespace parley::session
