// One client's life on this server, whatever transport carries it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "session/adapter.h"
#include "session/effects.h"
#include "session/outbox.h"
#include "session/transport_link.h"

namespace parley::session {

class SessionTable;
struct FlushPlan;

// What: drives one adapter: gives it inputs, carries out its effects, and writes what its cursors
// and lanes hold when the transport can take it. Owner: SessionTable; dies at the end of the turn
// in which its transport closed. Shard: never changes. Failure: ends itself with an EndReason;
// nothing follows the end, and the hub is left at once. See core rules in docs/adr/.
class Session final : public hub::Subscriber, public hub::Requester, private TimerNode {
 public:
  Session(SessionTable& table, std::unique_ptr<Adapter> adapter, TransportLink& link);
  ~Session() override;

  // From the transport.
  void open(const Handshake& handshake);
  void on_message(MessageType type, ByteView message);
  // Lends frames that are ready to send; consumed() must follow before anything else happens on
  // this shard.
  void gather(SliceSink& sink);
  // The kernel took the first n bytes of what gather() lent.
  void consumed(size_t n);
  bool has_output() const { return dirty_ != nullptr || (outbox_ && !outbox_->empty()); }
  // No frame is partly sent: the transport may put a frame of its own between.
  bool at_frame_border() const { return !outbox_ || outbox_->rest.empty(); }
  // The transport is gone. The session must not be used afterwards.
  void transport_closed(EndReason reason);

  // Ends the session in order: last words, out of the hub, farewell by the transport.
  void end(EndReason reason);
  bool ended() const { return ended_; }
  const Adapter& adapter() const { return *adapter_; }

 private:
  friend class Effects;
  friend class SessionTable;
  struct Place {
    std::unique_ptr<hub::Subscription> subscription;
    uint32_t generation = 0;
  };
  struct Presence {
    std::string channel;
    std::string client;
  };

  void on_subscribed(hub::Subscription& subscription,
                     std::expected<hub::Subscribed, hub::HubError> result) override;
  void on_dirty(hub::Subscription& subscription) override;
  void on_answer(hub::StepId step, hub::Answer answer) override;
  void on_timer(const Now& now) override;

  template <class Handler>
  void run_adapter(Handler handler);
  void execute(SubscribeCommand& command);
  void execute(UnsubscribeCommand& command);
  void execute(PublishCommand& command);
  void execute(HistoryCommand& command);
  void execute(PresenceCommand& command);
  void execute(ChangePresenceCommand& command);
  void execute(TimerCommand& command);
  void execute(EndCommand& command);

  SubscriptionHandle new_handle();
  hub::Subscription* find(SubscriptionHandle handle);
  void forget(SubscriptionHandle handle);
  void leave_hub();
  EndCode last_words(EndReason reason);

  Outbox& outbox();
  bool append_ordered(ByteView message, Barrier barrier);
  bool append_urgent(ByteView message);

  void tell_gaps();
  bool plan_ordered(FlushPlan& plan, SliceSink& sink);
  bool plan_data(FlushPlan& plan, SliceSink& sink, hub::Subscription& subscription);
  bool plan_singles(FlushPlan& plan, SliceSink& sink, hub::Subscription& subscription,
                    const hub::Pull& pull);
  void take_whole(FlushPlan& plan, size_t piece);
  void take_part(FlushPlan& plan, size_t piece, size_t n);
  void drop_from_dirty(hub::Subscription& subscription);
  void settle_dirty();

  void note_pending(int change);
  void arm();
  void watch_progress(bool progress);

  SessionTable& table_;
  std::unique_ptr<Adapter> adapter_;
  TransportLink* link_;
  hub::RequesterId requester_;
  std::unique_ptr<Outbox> outbox_;  // only while something is in it
  std::vector<Place> places_;
  std::vector<Presence> presences_;
  hub::Subscription* dirty_ = nullptr;  // has something to pull
  std::array<Time, kTimers> deadlines_{};
  Time stall_deadline_{};  // armed while output waits for the peer
  uint32_t pending_ = 0;   // commands that are not answered yet
  uint32_t index_ = 0;     // in the table
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace parley::session
