#include "session/session_table.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/check.h"
#include "base/metrics.h"
#include "session/meters.h"

namespace parley::session {
namespace {

metrics::Gauge open_sessions("parley_sessions", "Open sessions");
metrics::Gauge anonymous_sessions("parley_sessions_anonymous", "Open sessions of no named user");
metrics::Counter opened("parley_sessions_opened_total", "Sessions opened");

metrics::Counter outboxes_freed("parley_session_outboxes_freed_total",
                                "Buffers for replies that were freed, because a shard keeps enough "
                                "of them for the next sessions");

metrics::Counter controlled(
    "parley_sessions_controlled_total",
    "Times the server API, or a newer session of the user, did something to a session");

// Looking at a session that is not addressed is that much cheaper than handling one.
constexpr size_t kLooksPerSession = 8;
// Of what one shard says of its sessions; above, the answer is cut.
constexpr size_t kListedBytes = 4 << 20;

std::array<std::string_view, kEndReasons> reasons() {
  std::array<std::string_view, kEndReasons> all;
  for (size_t i = 0; i < kEndReasons; ++i) all[i] = to_string(static_cast<EndReason>(i));
  return all;
}
metrics::CounterFamily ended("parley_sessions_ended_total", "Sessions ended, by reason", "reason",
                             reasons());

auth::Revocation to_revocation(const hub::Control& control) {
  using Kind = auth::Revocation::Kind;
  const bool of_token = control.kind == hub::Control::Kind::kRevoke;
  const Kind kind = of_token                                          ? Kind::kToken
                    : control.kind == hub::Control::Kind::kInvalidate ? Kind::kIssuedBefore
                    : control.kind == hub::Control::Kind::kUnblock    ? Kind::kUnblock
                                                                      : Kind::kBlock;
  return {.kind = kind,
          .subject = of_token ? control.token : control.user,
          .channel = control.channel,
          .issued_before = control.issued_before,
          .expire_at = control.expire_at};
}

}  // namespace

SessionTable::SessionTable(hub::Hub& hub, TimerWheel& timers, IdSource& ids,
                           auth::Authenticator& tokens, const SessionLimits& limits,
                           auth::Revocations* revocations)
    : hub_(hub),
      timers_(timers),
      ids_(ids),
      tokens_(tokens),
      limits_(limits),
      revocations_(revocations) {
  effects_.ids_ = &ids_;
  hub_.set_control_sink(this);
}

SessionTable::~SessionTable() {
  hub_.set_control_sink(nullptr);
  for (auto& session : sessions_)
    if (session) session->transport_closed(EndReason::kShutdown);
}

Session& SessionTable::open(std::unique_ptr<Adapter> adapter, TransportLink& link,
                            const Handshake& handshake, Seat seat) {
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
  session.born_ = born_++;
  session.transport_ = number_of_transport(handshake.transport);
  opened.add(1);
  open_sessions.add(1);
  session.open(handshake, std::move(seat));
  return session;
}

Session* SessionTable::find(uint32_t index, uint32_t born) const {
  Session* session = index < sessions_.size() ? sessions_[index].get() : nullptr;
  return session != nullptr && session->born_ == born ? session : nullptr;
}

bool SessionTable::is_there(uint64_t asker) const {
  const Session* session = find(static_cast<uint32_t>(asker), static_cast<uint32_t>(asker >> 32));
  return session != nullptr && !session->ended();
}

void SessionTable::enlist(Session& session) {
  const std::string_view user = session.adapter().identity().user;
  if (user.empty()) {
    ++anonymous_;
    anonymous_sessions.add(1);
  } else {
    session.listed_ = directory_.add(user, session.index_);
    if (directory_.sessions_of(user) == 1) hub_.note_user(user, true);
  }
}

void SessionTable::delist(Session& session) {
  const std::string_view user = session.adapter().identity().user;
  if (user.empty()) {
    --anonymous_;
    anonymous_sessions.add(-1);
  } else if (const auto moved = directory_.remove(user, session.listed_)) {
    sessions_[*moved]->listed_ = session.listed_;
  } else if (directory_.sessions_of(user) == 0) {
    hub_.note_user(user, false);
  }
}

bool SessionTable::apply(const hub::Control& control, size_t& budget, hub::Controlled& result) {
  if (!sweep_.running) begin_sweep(control);
  size_t looks = budget * kLooksPerSession;
  while (sweep_.next < sweep_.end) {
    if (budget == 0 || looks == 0) return false;
    --looks;
    Session* session = next_of_sweep();
    if (session == nullptr || !is_addressed(*session, control)) continue;
    --budget;
    if (control.kind == hub::Control::Kind::kSupersede && session->rank() >= control.rank) {
      result.outranked |= session->only_ && session->rank() > control.rank;
      continue;
    }
    control_one(*session, control, result);
  }
  sweep_ = {};
  return true;
}

void SessionTable::control_one(Session& session, const hub::Control& control,
                               hub::Controlled& result) {
  if (control.kind != hub::Control::Kind::kList) {
    controlled.add(1);
    return control.is_remembered() ? session.recheck() : session.control(control);
  }
  // Each shard may say as much as all together: what is too much is left out at the end.
  if (result.connections.size() >= control.most || result.bytes >= kListedBytes) {
    result.cut = true;
    return;
  }
  result.connections.push_back(session.facts());
  result.bytes += result.connections.back().cost();
}

void SessionTable::begin_sweep(const hub::Control& control) {
  using Kind = hub::Control::Kind;
  sweep_.running = true;
  sweep_.before = born_;
  if (control.kind == Kind::kUnblock) return;
  const bool everybody = control.kind == Kind::kRevoke || control.kind == Kind::kList;
  sweep_.whole = control.user.empty();
  if (sweep_.whole) {
    // Nobody lists them: that would cost each of a million sessions what a control saves.
    sweep_.end = everybody || anonymous_ > 0 ? sessions_.size() : 0;
  } else {
    sweep_.sessions = directory_.of(control.user);
    sweep_.end = sweep_.sessions.size();
  }
}

bool SessionTable::has_room(const hub::Control& control) const {
  return revocations_ != nullptr && revocations_->has_room(to_revocation(control));
}

void SessionTable::remember(const hub::Control& control) {
  if (revocations_ != nullptr) revocations_->remember(to_revocation(control));
}

// nullptr: there is none here, or none that was there when the control came.
Session* SessionTable::next_of_sweep() {
  const size_t at = sweep_.next++;
  Session* session = sessions_[sweep_.whole ? at : sweep_.sessions[at]].get();
  const bool meant = session != nullptr && session->identified_ && !session->ended_ &&
                     static_cast<int32_t>(session->born_ - sweep_.before) < 0;
  return meant ? session : nullptr;
}

bool SessionTable::is_addressed(const Session& session, const hub::Control& control) {
  if (control.kind == hub::Control::Kind::kRevoke) return session.shows(control.token);
  const bool anybody = control.kind == hub::Control::Kind::kList && control.user.empty();
  const Identity who = session.adapter().identity();
  return (anybody || who.user == control.user) &&
         (control.client.empty() || control.client == who.client) &&
         (control.session.empty() || control.session == who.session) &&
         std::ranges::find(control.whitelist, who.client) == control.whitelist.end();
}

// There are as many as there are kinds of doors.
uint8_t SessionTable::number_of_transport(std::string_view name) {
  const auto known = std::ranges::find(transports_, name);
  const auto number = static_cast<uint8_t>(known - transports_.begin());
  if (known == transports_.end()) transports_.emplace_back(name);
  return number;
}

void SessionTable::bury(Session& session) {
  open_sessions.add(-1);
  if (session.shed_) --shed_;
  free_.push_back(session.index_);
  dead_.push_back(std::move(sessions_[session.index_]));
}

std::unique_ptr<Outbox> SessionTable::take_outbox() {
  if (outboxes_.empty()) return std::make_unique<Outbox>();
  auto outbox = std::move(outboxes_.back());
  outboxes_.pop_back();
  outboxes_bytes_ -= outbox->capacity();
  return outbox;
}

void SessionTable::give_back(std::unique_ptr<Outbox> outbox) {
  // The answers to one read of small commands take some tens of KiB: few have them at a time, and a
  // buffer that grows anew for each costs more than what is written to it.
  constexpr size_t kKept = 64;
  constexpr size_t kKeptBytes = 4 * 1024 * 1024;
  const size_t bytes = outbox->capacity();
  if (!outbox->empty()) return;
  if (outboxes_.size() == kKept || outboxes_bytes_ + bytes > kKeptBytes) {
    outboxes_freed.add();
    return;
  }
  outboxes_bytes_ += bytes;
  outboxes_.push_back(std::move(outbox));
}

void SessionTable::begin_flush(bool flushed) {
  dead_.clear();
  lent_runs_.clear();
  cache_.begin_turn(flushed);
}

void SessionTable::end_all(EndReason reason) {
  // Ending a session may close its transport, which changes the table.
  for (size_t i = 0; i < sessions_.size(); ++i)
    if (sessions_[i]) sessions_[i]->end(reason);
}

void SessionTable::end_some(EndReason reason, size_t most) {
  for (; most > 0 && end_at_ < sessions_.size(); ++end_at_) {
    if (!sessions_[end_at_] || sessions_[end_at_]->ended()) continue;
    sessions_[end_at_]->end(reason);
    --most;
  }
}

void SessionTable::end_fattest(size_t most) {
  constexpr size_t kLooks = 64 * 1024;
  constexpr size_t kLittle = 16 * 1024;
  // Those that take nothing keep their memory until their close has timed out. Meanwhile ending the
  // next ones would end more than is needed.
  most -= std::min(most, shed_);
  if (most == 0) return;
  std::vector<std::pair<size_t, Session*>> fat;
  for (size_t looks = std::min(kLooks, sessions_.size()); looks > 0; --looks) {
    Session* session = sessions_[weighed_++ % sessions_.size()].get();
    if (session == nullptr || session->ended()) continue;
    if (const size_t bytes = session->waiting_bytes(); bytes > kLittle)
      fat.emplace_back(bytes, session);
  }
  const size_t count = std::min(most, fat.size());
  std::ranges::partial_sort(fat, fat.begin() + static_cast<ptrdiff_t>(count), std::greater());
  for (size_t i = 0; i < count; ++i) {
    meters::limits.add(meters::Limit::kMemory);
    ++shed_;
    fat[i].second->shed_ = true;
    fat[i].second->end(EndReason::kSlow);
  }
}

void SessionTable::count_end(EndReason reason) { ended.add(reason); }

}  // namespace parley::session
