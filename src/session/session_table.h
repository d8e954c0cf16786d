// The sessions of one shard, and what they share.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "auth/revocations.h"
#include "base/quotas.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "session/directory.h"
#include "session/effects.h"
#include "session/encode_cache.h"
#include "session/flush_plan.h"
#include "session/lent_runs.h"
#include "session/session.h"

namespace parley::session {

struct SessionLimits {
  size_t outbox_bytes = 1 << 20;  // control frames waiting for one client; above: ended as slow
  uint32_t pending_commands =
      1024;                // unanswered ones; above: reading pauses until half are answered
  uint8_t bad_tokens = 3;  // with no good signature, or none at all: ended with the last of them
  Duration write_stall = seconds(30);  // output waits and the peer takes nothing: ended as slow
  // A client that sends faster than it is served for so long, and has more than `pending_commands`
  // under way, has its publishes refused until it was served for a fifth of it; 0: never.
  Duration publish_max_delay = milliseconds(500);
  Quotas* quotas = nullptr;  // of the node; null: nothing is limited
};

// What: owns sessions from open() to the end of the turn in which their transport closed, and
// carries out what the backend, or one of them, wants of others. Owner: the server, one per shard;
// dies before its hub. Shard: its own.
class SessionTable final : private hub::ControlSink, private auth::Askers {
 public:
  // What is passed must outlive the table. Without `revocations` nothing can be revoked.
  SessionTable(hub::Hub& hub, TimerWheel& timers, IdSource& ids, auth::Authenticator& tokens,
               const SessionLimits& limits, auth::Revocations* revocations = nullptr);
  ~SessionTable() override;

  // Starts a session on `link`, which must outlive it or call transport_closed(). May already have
  // ended when this returns.
  // `seat` is given back at its end.
  Session& open(std::unique_ptr<Adapter> adapter, TransportLink& link, const Handshake& handshake,
                Seat seat = {});

  // After the hub's turn and before the flush. `flushed`: no socket is left to flush from the turn
  // before.
  void begin_flush(bool flushed);
  // The server stops: transports open no further session.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }
  // Ends every session.
  void end_all(EndReason reason);
  // Ends, as slow, those for which most bytes wait, among the next ones in the table: no more than
  // `most` at a time, counting those that it ended before and that still hold what waits for them,
  // and none with little.
  void end_fattest(size_t most);
  // Ends the next so many of the sessions, going through the table once.
  void end_some(EndReason reason, size_t most);
  size_t size() const { return sessions_.size() - free_.size(); }
  // Different users of the sessions on this shard; all anonymous ones are one.
  size_t users() const { return directory_.users() + (anonymous_ > 0 ? 1 : 0); }

  // Of buffers that are kept for the next session that needs one.
  size_t kept_bytes() const { return outboxes_bytes_; }

  hub::Hub& hub() { return hub_; }
  const SessionLimits& limits() const { return limits_; }

 private:
  friend class Session;
  friend class Effects;
  // Null once that session has gone, whoever has its place now.
  Session* find(uint32_t index, uint32_t born) const;
  // For those who have tokens verified: the session's place and number in one.
  bool is_there(uint64_t asker) const override;
  // The sessions that a control may address, while it goes through them.
  struct Sweep {
    bool running = false;
    bool whole = false;              // looks through the table
    std::vector<uint32_t> sessions;  // else: of the user
    size_t next = 0;
    size_t end = 0;
    uint32_t before = 0;  // sessions opened later are not meant
  };

  bool apply(const hub::Control& control, size_t& budget, hub::Controlled& result) override;
  bool has_room(const hub::Control& control) const override;
  void remember(const hub::Control& control) override;
  static void control_one(Session& session, const hub::Control& control, hub::Controlled& result);
  void begin_sweep(const hub::Control& control);
  Session* next_of_sweep();
  static bool is_addressed(const Session& session, const hub::Control& control);
  void enlist(Session& session);
  void delist(Session& session);
  void bury(Session& session);
  std::unique_ptr<Outbox> take_outbox();
  void give_back(std::unique_ptr<Outbox> outbox);
  uint8_t number_of_transport(std::string_view name);
  static void count_end(EndReason reason);

  hub::Hub& hub_;
  TimerWheel& timers_;
  IdSource& ids_;
  auth::Authenticator& tokens_;
  SessionLimits limits_;
  auth::Revocations* revocations_;
  std::vector<std::string> transports_;  // names that were seen
  Effects effects_;
  std::vector<Command> running_;  // the commands being carried out
  std::vector<std::tuple<hub::StepId, auth::TokenUse, auth::TokenResult>>
      verified_;  // to be told next
  // Of the token that an adapter is being told of; null: of none, or of no subscription.
  const VerifiedSubscription* verified_subscription_ = nullptr;
  bool delivering_verified_ = false;
  EncodeCache cache_;
  FlushPlan plan_;
  LastRun last_run_;
  LentRuns lent_runs_;
  std::vector<std::unique_ptr<Outbox>> outboxes_;  // empty ones, for the next session
  size_t outboxes_bytes_ = 0;                      // their capacity
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<uint32_t> free_;
  std::vector<std::unique_ptr<Session>> dead_;
  uint32_t born_ = 0;   // sessions opened so far; wraps
  size_t end_at_ = 0;   // where end_some() goes on
  size_t weighed_ = 0;  // where end_fattest() goes on
  size_t shed_ = 0;     // ended by it, and not closed yet
  size_t anonymous_ = 0;
  Directory directory_;
  Sweep sweep_;
  bool closed_ = false;
};

}  // namespace parley::session
