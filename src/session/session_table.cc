#include "session/session_table.h"

#include <array>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::session {
namespace {

metrics::Gauge open_sessions("parley_sessions", "Open sessions");
metrics::Counter opened("parley_sessions_opened_total", "Sessions opened");

metrics::Counter& ended_counter(EndReason reason) {
  static const auto counters = [] {
    std::array<std::unique_ptr<metrics::Counter>, kEndReasons> made;
    for (int i = 0; i < kEndReasons; ++i)
      made[static_cast<size_t>(i)] = std::make_unique<metrics::Counter>(
          "parley_sessions_ended_total", "Sessions ended, by reason",
          metrics::Labels{{"reason", to_string(static_cast<EndReason>(i))}});
    return made;
  }();
  return *counters[static_cast<size_t>(reason)];
}

}  // namespace

SessionTable::SessionTable(hub::Hub& hub, TimerWheel& timers, IdSource& ids,
                           auth::Authenticator& tokens, const SessionLimits& limits)
    : hub_(hub), timers_(timers), ids_(ids), tokens_(tokens), limits_(limits) {
  effects_.ids_ = &ids_;
}

SessionTable::~SessionTable() {
  for (auto& session : sessions_)
    if (session) session->transport_closed(EndReason::kShutdown);
}

Session& SessionTable::open(std::unique_ptr<Adapter> adapter, TransportLink& link,
                            const Handshake& handshake) {
  auto made = std::make_unique<Session>(*this, std::move(adapter), link);
  Session& session = *made;
  if (free_.empty()) {
    session.index_ = static_cast<uint32_t>(sessions_.size());
    sessions_.push_back(std::move(made));
  } else {
    session.index_ = free_.back();
    free_.pop_back();
    sessions_[session.index_] = std::move(made);
  }
  opened.add(1);
  open_sessions.add(1);
  session.open(handshake);
  return session;
}

Session* SessionTable::find(uint32_t index, const hub::RequesterId& requester) {
  Session* session = index < sessions_.size() ? sessions_[index].get() : nullptr;
  const bool same = session != nullptr && session->requester_.index == requester.index &&
                    session->requester_.generation == requester.generation;
  return same ? session : nullptr;
}

void SessionTable::bury(Session& session) {
  open_sessions.add(-1);
  free_.push_back(session.index_);
  dead_.push_back(std::move(sessions_[session.index_]));
}

std::unique_ptr<Outbox> SessionTable::take_outbox() {
  if (outboxes_.empty()) return std::make_unique<Outbox>();
  auto outbox = std::move(outboxes_.back());
  outboxes_.pop_back();
  return outbox;
}

void SessionTable::give_back(std::unique_ptr<Outbox> outbox) {
  constexpr size_t kKept = 64;
  constexpr size_t kKeptBytes = 16 * 1024;
  if (outboxes_.size() < kKept && outbox->empty() && outbox->capacity() <= kKeptBytes)
    outboxes_.push_back(std::move(outbox));
}

void SessionTable::begin_flush(bool flushed) {
  dead_.clear();
  cache_.begin_turn(flushed);
}

void SessionTable::end_all(EndReason reason) {
  // Ending a session may close its transport, which changes the table.
  for (size_t i = 0; i < sessions_.size(); ++i)
    if (sessions_[i]) sessions_[i]->end(reason);
}

void SessionTable::count_end(EndReason reason) { ended_counter(reason).add(1); }

}  // namespace parley::session
