// One client's life on this server, whatever transport carries it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/quotas.h"
#include "base/time.h"
#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "session/adapter.h"
#include "session/deadline.h"
#include "session/dirty_list.h"
#include "session/effects.h"
#include "session/flush_plan.h"
#include "session/outbox.h"
#include "session/shown_tokens.h"
#include "session/transport_link.h"

namespace parley::session {

class SessionTable;

// What: drives one adapter: gives it inputs, carries out its effects, and writes what its cursors
// and lanes hold when the transport can take it. Owner: SessionTable; dies at the end of the turn
// in which its transport closed. Shard: never changes. Failure: ends itself with an EndReason;
// nothing follows the end, and the hub is left at once. Why so:
// docs/adr/0008-delivery-by-cursor.md.
class Session final : public hub::Subscriber, public hub::Requester, private TimerNode {
 public:
  Session(SessionTable& table, std::unique_ptr<Adapter> adapter, TransportLink& link);
  ~Session() override;

  // From the transport.
  void open(const Handshake& handshake, Seat seat);
  void on_message(MessageType type, ByteView message);
  // The client's input has not been read to the end for that much longer, in which so many bytes
  // were read, and so many are left. It begins with no time, and is over where nothing was read.
  void note_input_lag(size_t unread, size_t read, Duration within);
  // Lends publications, at most so many bytes, if that is all that there is to send and many
  // readers share them; nothing: gather() has to be called. consumed() must follow, after other
  // sessions were asked the same, and in the order in which they were; nothing else may happen on
  // this shard before.
  ByteView gather_shared(size_t most);
  // Lends frames that are ready to send; consumed() must follow before anything else happens on
  // this shard. When it lends nothing, there is nothing to do until wake(). One call per wake() is
  // enough, and one when the kernel takes more again.
  void gather(SliceSink& sink);
  // The kernel took the first n bytes of what gather() lent.
  void consumed(size_t n);
  bool has_output() const { return !dirty_.empty() || (outbox_ && !outbox_->empty()); }
  // Something that it asked for, of the hub or of who verifies tokens, has not been answered.
  bool awaits_answer() const { return pending_ > 0; }
  // No frame is partly sent: the transport may put a frame of its own between.
  bool at_frame_border() const { return !outbox_ || outbox_->rest.empty(); }
  // The transport is gone. The session must not be used afterwards.
  void transport_closed(EndReason reason);

  // Ends the session in order: last words, out of the hub, farewell by the transport.
  void end(EndReason reason);
  // Carries out what the backend or a newer session wants of this one.
  void control(const hub::Control& control);
  // Something was revoked that may be this session's: ends it, or some of its subscriptions.
  void recheck();
  // Whether it lives by the token with this id.
  bool shows(std::string_view token) const;
  hub::ConnectionFacts facts() const;
  bool ended() const { return ended_; }
  // What waits for its client, in memory.
  size_t waiting_bytes() const { return outbox_ ? outbox_->capacity() : 0; }
  hub::Rank rank() const;
  const Adapter& adapter() const { return *adapter_; }

 private:
  friend class Effects;
  friend class SessionTable;
  // What the node counts it by.
  struct Dues {
    PeerKeys who;
    Seat seat;
    bool entered = false;  // counted as a session of the user, if that is one
  };
  // Of a client whose input is not read to the end.
  struct Lag {
    Duration lasts{};
    uint32_t publishes = 0;  // asked for since it was last told of
    bool late = false;       // publishes are refused
    Time calm{};             // when that ends; 0: not while it lasts
    // A lag began before that and nobody knows yet whether it lasts: publishes are refused, past
    // `calm` too, until note_input_lag() is told that it is over (cleared) or that it lasts (then
    // there is no `calm`).
    bool again = false;
  };
  struct Place {
    SubscriptionPtr subscription;
    uint32_t generation = 0;
    bool present = false;  // entered, through this subscription
  };

  void on_subscribed(hub::Subscription& subscription,
                     std::expected<hub::Subscribed, hub::HubError> result) override;
  void on_dirty(hub::Subscription& subscription) override;
  hub::RequesterId requester() const override { return requester_; }
  void on_answer(hub::StepId step, hub::Answer answer) override;
  void on_published(hub::StepId step, const hub::Published& published) override;
  bool takes_pages() override;
  void on_outranked() override { end(EndReason::kSuperseded); }
  void on_timer(const Now& now) override;

  template <class Handler>
  void run_adapter(Handler handler, bool wake = true);
  void carry_out(Effects& effects);
  void execute(SubscribeCommand& command);
  void execute(RewindCommand& command);
  void execute(RenewCommand& command);
  void execute(UnsubscribeCommand& command);
  void execute(PublishCommand& command);
  void execute(HistoryCommand& command);
  void execute(PresenceCommand& command);
  void execute(VerifyCommand& command);
  void execute(HoldCommand& command);
  void execute(AwaitSentCommand& command);
  void execute(EnterPresenceCommand& command);
  void execute(TimerCommand& command);
  void execute(IdentifyCommand& command);
  void execute(NoteActiveCommand& command);
  void execute(SupersedeCommand& command);
  void execute(EndCommand& command);

  bool may(Operation operation, Time now) const;
  bool takes_publishes() { return !lag_ || takes_late_publishes(); }
  bool takes_late_publishes();
  bool unheard(Duration time) const { return link_ != nullptr && link_->unheard(time); }
  bool enter(std::string_view user, bool always);

  static bool is_forged(const auth::TokenResult& result) {
    return !result && result.error() == auth::TokenError::kInvalid;
  }
  void on_verified(hub::StepId step, auth::TokenUse use, auth::TokenResult result);
  void deliver_verified();
  std::optional<VerifiedSubscription> take_note(auth::TokenUse use, const auth::Claims& claims);
  ShownTokens& shown();
  // Why it may not be here, if it may not.
  std::optional<EndReason> objection() const;
  std::vector<std::string> revoked_channels() const;
  void withdraw_revoked();

  // A subscription's handle: which place, and which use of that place. Never 0.
  static constexpr uint32_t kPlaceBits = 16;
  static constexpr SubscriptionHandle make_handle(size_t place, uint32_t generation) {
    return static_cast<SubscriptionHandle>(place) | (generation & 0x7fff) << kPlaceBits | 1u << 31;
  }
  static constexpr size_t place_of(SubscriptionHandle handle) {
    return handle & ((1u << kPlaceBits) - 1);
  }
  SubscriptionHandle new_handle(Variant variant);
  hub::Subscription* find(SubscriptionHandle handle);
  void forget(SubscriptionHandle handle);
  void leave(Place& place);
  void leave_hub();
  void finish(EndReason reason, const EndCode* asked);
  EndCode last_words(EndReason reason, const EndCode* asked);

  Outbox& outbox();
  size_t room() const;
  bool has_room(size_t size) const;
  bool append_ordered(ByteView message, Barrier barrier);
  bool append_urgent(ByteView message);

  bool must_tell_gaps() const;
  void tell_gaps();
  void tell_gap(SubscriptionHandle handle, const hub::Gap& gap, bool wake);
  void plan_frames(FlushPlan& plan);
  void plan_ordered(FlushPlan& plan, const FrameQueue& ordered);
  bool must_wait(FlushPlan& plan, const Barrier& barrier);
  uint64_t plan_early(FlushPlan& plan, hub::Subscription& subscription);
  uint64_t plan_data(FlushPlan& plan, hub::Subscription& subscription);
  std::optional<uint64_t> plan_run(FlushPlan& plan, hub::Subscription& subscription,
                                   const Dialect& dialect);
  uint64_t plan_singles(FlushPlan& plan, hub::Subscription& subscription, const Dialect& dialect,
                        const hub::Pull& pull);
  bool stands_at_last_run(const hub::Subscription& subscription) const;
  const EncodeCache::Run* find_run(hub::Subscription& subscription, const Dialect& dialect);
  void consumed_shared(size_t n);
  bool consumed_run(FlushPlan& plan, size_t n);
  void consumed_all(FlushPlan& plan, size_t n);
  void book_run(hub::Subscription& subscription, const FlushPlan::Piece& piece);
  void share(hub::Subscription& served, size_t bytes);
  void take_whole(const FlushPlan::Piece& piece);
  void take_part(const FlushPlan::Piece& piece, size_t n);
  void release_outbox();
  void tighten_outbox();

  void note_pending(int change);
  void note_waiting();
  bool input_paused() const { return crowded_ || awaiting_sent_ || backed_up_; }
  void pause_input(bool& cause, bool there);
  void arm();
  // What output that is still there waits for.
  enum class Wait : uint8_t { kNothing, kPeer, kBarrier };
  void watch_progress(bool progress, Wait wait);
  void on_stall();

  SessionTable& table_;
  std::unique_ptr<Adapter> adapter_;
  TransportLink* link_;
  hub::RequesterId requester_;
  std::unique_ptr<Outbox> outbox_;  // only while something is in it
  std::vector<Place> places_;
  DirtyList dirty_;                     // have something to pull
  std::unique_ptr<Dues> dues_;          // null: nothing is limited
  std::unique_ptr<Lag> lag_;            // null: it is served as fast as it sends
  std::unique_ptr<ShownTokens> shown_;  // null: nothing of them is worth keeping
  std::array<Deadline, kTimers> deadlines_;
  Deadline stall_;  // armed while output waits
  const Time opened_;
  uint32_t share_ = 0;  // bytes of publications since the dirty list turned
  uint32_t free_places_ = 0;
  uint32_t pending_ = 0;  // commands that are not answered yet
  uint32_t index_ = 0;    // in the table
  uint32_t born_ = 0;     // how many sessions the table had opened before it
  uint32_t listed_ = 0;   // place among its user's sessions; of anonymous ones unused
  Wait wait_ = Wait::kNothing;
  bool crowded_ = false;        // input is paused: too many commands are unanswered
  bool awaiting_sent_ = false;  // ... or output must leave first
  bool backed_up_ = false;      // ... or too much of it waits
  bool pages_rest_ = false;     // pages of history wait until its client has taken more
  bool held_ = false;           // publications wait
  bool slow_ = false;           // the peer did not take all that it was last given
  bool ended_ = false;
  bool identified_ = false;
  bool shed_ = false;       // ended for want of memory
  bool only_ = false;       // supersedes the others of its user
  bool by_token_ = false;   // came with one
  uint8_t transport_ = 0;   // in the table's list of names
  uint8_t bad_tokens_ = 0;  // that it has shown, and was told of
  uint8_t bad_seen_ = 0;    // ... and is about to be told of
};

}  // namespace parley::session
