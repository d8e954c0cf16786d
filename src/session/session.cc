#include "session/session.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "session/meters.h"
#include "session/session_table.h"

namespace parley::session {
namespace {

metrics::Counter messages_in("parley_messages_received_total", "Messages received from clients");
metrics::Counter paused_total(
    "parley_session_input_paused_total",
    "Times a session's input was paused because too many commands were unanswered, or too many "
    "bytes of answers had not been taken");

}  // namespace

Session::Session(SessionTable& table, std::unique_ptr<Adapter> adapter, TransportLink& link)
    : table_(table),
      adapter_(std::move(adapter)),
      link_(&link),
      requester_(table.hub().add(*this)),
      opened_(table.hub().now().mono) {}

hub::Rank Session::rank() const { return {opened_, table_.hub().shard(), born_}; }

Session::~Session() { CHECK(ended_); }

// Every input of the adapter goes through here: the handler runs, then its commands, in order.
template <class Handler>
void Session::run_adapter(Handler handler, bool wake) {
  Effects& effects = table_.effects_;
  CHECK(effects.session_ == nullptr);
  effects.session_ = this;
  effects.ended_ = false;
  effects.now_ = &table_.hub().now();
  handler(effects);
  effects.session_ = nullptr;
  if (!effects.commands_.empty()) carry_out(effects);
  if (link_ != nullptr && outbox_ && !outbox_->empty()) {
    note_waiting();
    if (wake) link_->wake(true);
  }
  if (!table_.verified_.empty()) deliver_verified();
}

// A command may be the next handler's cause, whose commands are then carried out within it.
void Session::carry_out(Effects& effects) {
  auto commands = std::exchange(table_.running_, {});
  commands.swap(effects.commands_);
  for (Command& command : commands) {
    if (auto* publish = std::get_if<PublishCommand>(&command)) {
      execute(*publish);
    } else {
      std::visit([this](auto& c) { execute(c); }, command);
    }
  }
  commands.clear();
  table_.running_ = std::move(commands);
}

void Session::open(const Handshake& handshake, Seat seat) {
  if (table_.limits().quotas != nullptr) {
    dues_ = std::make_unique<Dues>();
    dues_->who.address = handshake.peer_network;
    dues_->seat = std::move(seat);
  }
  run_adapter([&](Effects& effects) { adapter_->on_open(handshake, effects); });
}

bool Session::may(Operation operation, Time now) const {
  return !dues_ || table_.limits().quotas->may(operation, dues_->who, now);
}

bool Session::enter(std::string_view user, bool always) {
  if (!dues_) return true;
  CHECK(!dues_->entered);
  const uint64_t key = user.empty() ? 0 : SeededHash{}(user);
  if (key != 0 && !table_.limits().quotas->enter_user(key, always)) return false;
  dues_->who.user = key;
  dues_->entered = true;
  return true;
}

void Session::on_message(MessageType type, ByteView message) {
  if (ended_) return;
  messages_in.add(1);
  run_adapter([&](Effects& effects) { adapter_->on_message(type, message, effects); });
}

void Session::on_subscribed(hub::Subscription& subscription,
                            std::expected<hub::Subscribed, hub::HubError> result) {
  const SubscriptionHandle handle = subscription.handle();
  note_pending(-1);
  if (!result) forget(handle);
  run_adapter(
      [&](Effects& effects) { adapter_->on_subscribed(handle, std::move(result), effects); });
}

void Session::on_answer(hub::StepId step, hub::Answer answer) {
  note_pending(-1);
  run_adapter([&](Effects& effects) { adapter_->on_answer(step, std::move(answer), effects); });
}

void Session::on_published(hub::StepId step, const hub::Published& published) {
  note_pending(-1);
  run_adapter([&](Effects& effects) { adapter_->on_published(step, published, effects); });
}

void Session::on_verified(hub::StepId step, auth::TokenUse use, auth::TokenResult result) {
  if (ended_) return;
  note_pending(-1);
  // A signature is dear to look at and cheap to make up.
  if (is_forged(result) && ++bad_tokens_ >= table_.limits().bad_tokens) {
    meters::limits.add(meters::Limit::kBadTokens);
    return end(EndReason::kUnauthorized);
  }
  std::optional<VerifiedSubscription> verified;
  if (result) verified = take_note(use, *result);
  table_.verified_subscription_ = verified ? &*verified : nullptr;
  run_adapter([&](Effects& effects) { adapter_->on_verified(step, std::move(result), effects); });
  table_.verified_subscription_ = nullptr;
}

// Tokens that needed no fetching of keys: each is the adapter's next input, in the order in which
// they were asked for.
void Session::deliver_verified() {
  auto& verified = table_.verified_;
  if (table_.delivering_verified_) return;
  table_.delivering_verified_ = true;
  for (size_t i = 0; i < verified.size(); ++i) {
    auto [step, use, result] = std::move(verified[i]);
    on_verified(step, use, std::move(result));
  }
  verified.clear();
  table_.delivering_verified_ = false;
}

void Session::on_dirty(hub::Subscription& subscription) {
  dirty_.push(subscription);
  // The flush asks it for its dialect.
  __builtin_prefetch(adapter_.get());
  if (link_ != nullptr) link_->wake(false);
}

void Session::on_timer(const Now& now) {
  if (stall_.due(now)) on_stall();
  for (size_t i = 0; i < kTimers && !ended_; ++i) {
    if (!deadlines_[i].due(now)) continue;
    deadlines_[i].clear();
    const auto timer = static_cast<TimerId>(i);
    if (timer == TimerId::kPong && input_paused()) {
      // We are the ones who do not read: the client's sign of life may be waiting in front of us.
      deadlines_[i].set(now, seconds(1));
      continue;
    }
    run_adapter([&](Effects& effects) { adapter_->on_timer(timer, effects); });
  }
  if (!ended_) arm();
}

void Session::tell_gaps() {
  for (bool again = true; again && !ended_;) {
    again = false;
    for (hub::Subscription* next = dirty_.first(); next != nullptr; next = dirty_.after(*next)) {
      if (!next->gap_due()) continue;
      const hub::Pull pull = table_.hub().pull(*next);
      if (pull.kind != hub::Pull::Kind::kGap) continue;
      // The adapter may unsubscribe, so the list is walked anew.
      tell_gap(next->handle(), pull.gap, false);
      again = true;
      break;
    }
  }
}

void Session::tell_gap(SubscriptionHandle handle, const hub::Gap& gap, bool wake) {
  // What the adapter says of the gap stands behind frames that wait for publications behind the
  // gap: those frames must go now.
  if (outbox_) outbox_->ordered.lift_barriers(handle);
  const bool other_bytes =
      gap.reason == hub::GapReason::kEpochChanged || gap.reason == hub::GapReason::kRolledBack;
  if (other_bytes) forget_base(*find(handle));
  run_adapter([&](Effects& effects) { adapter_->on_gap(handle, gap, effects); }, wake);
}

void Session::end(EndReason reason) { finish(reason, nullptr); }

void Session::control(const hub::Control& control) {
  if (ended_) return;
  if (control.kind == hub::Control::Kind::kSupersede) return end(EndReason::kSuperseded);
  if (control.kind == hub::Control::Kind::kDisconnect) {
    const EndCode asked{control.code, control.reason};
    return finish(EndReason::kDisconnected, &asked);
  }
  run_adapter([&](Effects& effects) { adapter_->on_control(control, effects); });
}

void Session::finish(EndReason reason, const EndCode* asked) {
  if (ended_) return;
  const EndCode code = last_words(reason, asked);
  if (link_ != nullptr) link_->end(reason, code);
}

void Session::transport_closed(EndReason reason) {
  link_ = nullptr;
  if (!ended_) last_words(reason, nullptr);
  release_outbox();
  table_.bury(*this);
}

// The adapter says goodbye, then the session leaves the hub: nothing more is delivered, asked for
// or answered.
EndCode Session::last_words(EndReason reason, const EndCode* asked) {
  EndCode code;
  Effects& effects = table_.effects_;
  CHECK(effects.session_ == nullptr);
  effects.session_ = this;
  effects.ended_ = false;
  effects.now_ = &table_.hub().now();
  code = asked == nullptr ? adapter_->on_end(reason, effects)
                          : adapter_->on_disconnect(*asked, effects);
  effects.session_ = nullptr;
  effects.commands_.clear();
  ended_ = true;
  if (identified_) table_.delist(*this);
  // Its seat it keeps until its socket has gone.
  if (dues_ && dues_->who.user != 0)
    table_.limits().quotas->leave_user(std::exchange(dues_->who.user, 0));
  // It may go by itself before the sessions that lost a right are gone through.
  withdraw_revoked();
  leave_hub();
  unlink();
  table_.count_end(reason);
  return code;
}

void Session::leave_hub() {
  dirty_.clear();
  for (Place& place : places_)
    if (place.subscription) leave(place);
  places_.clear();
  table_.hub().remove(requester_);
}

// 0: there are too many subscriptions.
SubscriptionHandle Session::new_handle(Variant variant) {
  size_t index = places_.size();
  if (free_places_ > 0) {
    const auto free = std::ranges::find_if(
        places_, [](const Place& place) { return place.subscription == nullptr; });
    index = static_cast<size_t>(free - places_.begin());
    --free_places_;
  } else if (index == 1u << kPlaceBits) {
    return 0;
  } else {
    places_.emplace_back();
  }
  Place& place = places_[index];
  const SubscriptionHandle handle = make_handle(index, ++place.generation);
  if (variant.plain()) {
    place.subscription.reset(new hub::Subscription(*this, handle));
  } else {
    place.subscription.reset(new VariedSubscription(*this, handle, std::move(variant)));
  }
  return handle;
}

hub::Subscription* Session::find(SubscriptionHandle handle) {
  const size_t index = place_of(handle);
  if (handle == 0 || index >= places_.size() || !places_[index].subscription) return nullptr;
  hub::Subscription* subscription = places_[index].subscription.get();
  return subscription->handle() == handle ? subscription : nullptr;
}

void Session::forget(SubscriptionHandle handle) {
  hub::Subscription* subscription = find(handle);
  if (subscription->dirty) dirty_.remove(*subscription);
  leave(places_[place_of(handle)]);
  ++free_places_;
}

// Out of the channel in every respect.
void Session::leave(Place& place) {
  if (std::exchange(place.present, false))
    table_.hub().change_presence(place.subscription->channel()->key().name, hub::Change::kLeave,
                                 {.client = adapter_->identity().client});
  if (shown_) shown_->drop(place.subscription->handle());
  table_.hub().unsubscribe(*place.subscription);
  place.subscription.reset();
}

// Who does not take what it is sent may keep it for long: it is given no buffer that was large for
// another.
Outbox& Session::outbox() {
  if (!outbox_) outbox_ = slow_ ? std::make_unique<Outbox>() : table_.take_outbox();
  return *outbox_;
}

// As much memory as what waits needs, and not what once waited.
void Session::tighten_outbox() {
  constexpr size_t kLoose = 16 * 1024;
  constexpr size_t kTimesLarger = 4;
  const size_t has = outbox_->capacity();
  if (has > kLoose && has > kTimesLarger * outbox_->size()) outbox_ = outbox_->tight();
}

void Session::release_outbox() {
  if (outbox_) table_.give_back(std::move(outbox_));
}

size_t Session::room() const {
  const size_t waiting = outbox_ ? outbox_->waiting() : 0;
  return table_.limits().outbox_bytes - std::min(waiting, table_.limits().outbox_bytes);
}

// Whether a control frame may still be queued. A single one always may, whatever its size.
bool Session::has_room(size_t size) const {
  const size_t waiting = outbox_ ? outbox_->waiting() : 0;
  return waiting == 0 || waiting + size <= table_.limits().outbox_bytes;
}

bool Session::append_ordered(ByteView message, Barrier barrier) {
  if (link_ == nullptr) return true;
  if (!has_room(message.size())) return false;
  // The reply to a subscribe must come before the subscription's data: it is not live yet, and
  // nothing that was sent before the reply may wait for that data.
  const hub::Subscription* awaited = find(barrier.handle);
  if (awaited == nullptr || !awaited->live()) barrier = {};
  outbox().ordered.append(adapter_->dialect().type(), message, link_->framing(), barrier);
  return true;
}

bool Session::append_urgent(ByteView message) {
  if (link_ == nullptr) return true;
  if (!has_room(message.size())) return false;
  outbox().urgent.append(adapter_->dialect().type(), message, link_->framing(), {});
  return true;
}

// Commands that are not answered yet are bounded: above the limit the client's further ones stay in
// its socket.
void Session::note_pending(int change) {
  pending_ = static_cast<uint32_t>(static_cast<int64_t>(pending_) + change);
  if (ended_ || link_ == nullptr) return;
  const uint32_t limit = table_.limits().pending_commands;
  if (!crowded_ && pending_ >= limit) {
    paused_total.add(1);
    pause_input(crowded_, true);
  } else if (crowded_ && pending_ <= limit / 2) {
    pause_input(crowded_, false);
  }
}

// Who asks for more than it takes is not read until it has caught up, or it would have to be ended
// as slow though it reads all the time.
void Session::note_waiting() {
  const size_t waiting = outbox_ ? outbox_->waiting() : 0;
  const size_t limit = table_.limits().outbox_bytes;
  if (!backed_up_ && waiting > limit / 2) {
    paused_total.add(1);
    pause_input(backed_up_, true);
  } else if (backed_up_ && waiting <= limit / 4) {
    pause_input(backed_up_, false);
  }
}

// What its client has not taken would only grow.
bool Session::takes_pages() {
  constexpr size_t kPart = 64;
  const size_t waiting = outbox_ ? outbox_->waiting() : 0;
  pages_rest_ = waiting > table_.limits().outbox_bytes / kPart;
  return !pages_rest_;
}

void Session::pause_input(bool& cause, bool there) {
  const bool before = input_paused();
  cause = there;
  if (input_paused() != before && !ended_ && link_ != nullptr) link_->pause_input(!before);
}

void Session::arm() {
  const Now& now = table_.hub().now();
  bool armed = stall_.armed();
  int32_t left = armed ? stall_.ticks_left(now) : INT32_MAX;
  for (const Deadline& deadline : deadlines_) {
    if (!deadline.armed()) continue;
    armed = true;
    left = std::min(left, deadline.ticks_left(now));
  }
  if (armed) {
    table_.timers_.schedule(*this, Deadline::time_in(now, left));
  } else {
    unlink();
  }
}

}  // namespace parley::session
