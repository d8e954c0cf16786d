#include "session/effects.h"

#include "base/check.h"
#include "hub/local_channels.h"
#include "session/meters.h"
#include "session/session.h"

namespace parley::session {

Duration Effects::random_between(Duration from, Duration to) {
  if (to <= from) return from;
  return from + Duration(static_cast<int64_t>(ids_->next_u64() %
                                              static_cast<uint64_t>((to - from).count())));
}

void Effects::send_after(SubscriptionHandle handle, uint64_t offset, ByteView message) {
  if (ended_) return;
  if (!session_->append_ordered(message, {handle, offset})) end_as_slow();
}

void Effects::send_urgent(ByteView message) {
  if (ended_) return;
  if (!session_->append_urgent(message)) end_as_slow();
}

void Effects::end_as_slow() {
  meters::limits.add(meters::Limit::kOutboxBytes);
  end(EndReason::kSlow);
}

size_t Effects::room() const { return session_->room(); }
bool Effects::unheard(Duration time) const { return session_->unheard(time); }

SubscriptionHandle Effects::subscribe(hub::ChannelKey channel, hub::Start start, Variant variant) {
  if (ended_) return 0;
  const SubscriptionHandle handle = session_->new_handle(std::move(variant));
  if (handle == 0) {
    meters::limits.add(meters::Limit::kSubscriptions);
    end(EndReason::kLimit);
    return 0;
  }
  add(SubscribeCommand{handle, std::move(channel), start});
  return handle;
}

bool Effects::may(Operation operation) const { return session_->may(operation, now_->mono); }

bool Effects::takes_publishes() { return session_->takes_publishes(); }

bool Effects::enter(std::string_view user, bool always) { return session_->enter(user, always); }

const Variant* Effects::variant(SubscriptionHandle handle) const {
  hub::Subscription* subscription = session_->find(handle);
  const VariedSubscription* varied = subscription ? as_varied(*subscription) : nullptr;
  return varied ? &varied->variant : nullptr;
}

void Effects::sent(SubscriptionHandle handle, uint64_t offset) {
  hub::Subscription* subscription = session_->find(handle);
  VariedSubscription* varied = subscription ? as_varied(*subscription) : nullptr;
  if (varied) varied->last_sent = offset;
}

uint64_t Effects::channel_number(SubscriptionHandle handle) const {
  const hub::Subscription* subscription = session_->find(handle);
  return subscription && subscription->live() ? subscription->channel()->number() : 0;
}

hub::StreamPosition Effects::position(SubscriptionHandle handle) const {
  const hub::Subscription* subscription = session_->find(handle);
  if (subscription == nullptr || !subscription->live()) return {};
  return {subscription->channel()->epoch(), subscription->position()};
}

const hub::ChannelKey* Effects::channel(SubscriptionHandle handle) const {
  const hub::Subscription* subscription = session_->find(handle);
  if (subscription == nullptr || subscription->channel() == nullptr) return nullptr;
  return &subscription->channel()->key();
}

hub::PublishRecord& Effects::publish(hub::StepId step) {
  CHECK(!ended_);
  std::unique_ptr<hub::PublishRecord> record;
  if (spare_records_.empty()) {
    record = std::make_unique<hub::PublishRecord>();
  } else {
    record = std::move(spare_records_.back());
    spare_records_.pop_back();
  }
  hub::PublishRecord& empty = *record;
  commands_.emplace_back(std::in_place_type<PublishCommand>, step, std::move(record));
  return empty;
}

void Effects::give_back(std::unique_ptr<hub::PublishRecord> record) {
  constexpr size_t kKept = 64;
  constexpr size_t kMaxRoom = 1024;
  hub::PublishRecord& used = *record;
  const size_t room = used.channel.name.capacity() + used.principal.capacity() +
                      used.idempotency_key.capacity() + used.version_epoch.capacity();
  if (spare_records_.size() == kKept || room > kMaxRoom) return;
  used.clear();
  spare_records_.push_back(std::move(record));
}

void Effects::identify() {
  if (ended_) return;
  if (const auto objection = session_->objection()) return end(*objection);
  add(IdentifyCommand{});
}

void Effects::end(EndReason reason) {
  add(EndCommand{reason});
  ended_ = true;
}

}  // namespace parley::session
