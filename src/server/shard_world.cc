#include "server/shard_world.h"

#include "server/routes.h"

namespace parley::server {
namespace {
constexpr size_t kMailPerTurn = 4096;
// Each may be 64 KiB of commands.
constexpr size_t kUplinksPerTurn = 32;
// Each may be a client's connect.
constexpr size_t kTicketsPerTurn = 256;

session::SessionLimits session_limits(const Shared& shared) {
  const bool counted = shared.quotas.limits_sessions() || shared.quotas.seats();
  return {.outbox_bytes = shared.config.client.queue_max_size,
          .publish_max_delay = shared.config.client.publish_max_delay,
          .quotas = counted ? &shared.quotas : nullptr};
}

// All history together has a quarter of the memory.
broker::memory::MemoryBrokerOptions broker_options(const Shared& shared) {
  broker::memory::MemoryBrokerOptions options;
  if (const uint64_t limit = shared.config.memory.limit; limit > 0)
    options.max_bytes = limit / 4 / shared.slots.shards();
  return options;
}

auth::TicketOptions ticket_options(const Shared& shared) {
  return {.tickets = shared.config.client.ticket_limit, .quota = &shared.tickets};
}

// Each shard minds the users that it is home to.
hub::UserStatusOptions status_options(const Shared& shared) {
  const config::UserStatus& status = shared.config.user_status;
  const size_t shards = shared.slots.shards();
  return {.enabled = status.enabled || shared.dev,
          .keep = std::chrono::duration_cast<seconds>(status.expire_interval),
          .users = (status.max_users + shards - 1) / shards};
}

metrics::Gauge revocations_gauge("parley_revocations",
                                 "Blocked users and revoked tokens that every shard remembers");

}  // namespace

ShardWorld::ShardWorld(io::Shard& shard, HubMail& mail, UplinkBoxes& uplink_mail,
                       TicketBoxes& ticket_mail, const Shared& shared)
    : shard_(shard),
      revocations_(shared.config.revocations.max_entries),
      policy_(shared.policy, revocations_),
      fetcher_(shared.keys, shard.id(),
               [this](const std::string& url, const KeySource::Answer& answer) {
                 tokens_.on_fetched(url, answer.body, shard_.now().wall, answer.age.count());
               }),
      tokens_(shared.policy->tokens(), fetcher_),
      ticket_line_(ticket_mail, shard.id()),
      tickets_(shard.id(), shared.slots.shards(), ticket_line_, ids_, ticket_options(shared)),
      credentials_(tickets_, tokens_),
      ticket_hook_(
          ticket_mail, shard.id(), kTicketsPerTurn,
          [this](ShardId from, auth::TicketMail&& one) { tickets_.receive(from, std::move(one)); }),
      broker_(broker_options(shared), ids_, shard.now()),
      post_(mail, shard.id()),
      hub_({.shard = shard.id(), .user_status = status_options(shared)}, shared.slots, broker_,
           post_, policy_, ids_),
      mail_hook_(mail, shard.id(), kMailPerTurn,
                 [this](ShardId from, hub::HubMessage&& message) {
                   hub_.receive(from, std::move(message));
                 }),
      uplink_line_(uplink_mail, shard.id()),
      uplinks_(shard.id(), shared.slots.shards(), uplink_line_, ids_),
      uplink_hook_(uplink_mail, shard.id(), kUplinksPerTurn,
                   [this](ShardId from, session::UplinkMail&& one) {
                     uplinks_.receive(from, std::move(one));
                   }),
      sessions_(hub_, shard.timers(), ids_, good_credentials_, session_limits(shared),
                &revocations_),
      admission_(shared.quotas, ids_),
      routes_(std::make_unique<Routes>(shared, policy_, good_credentials_, tickets_, hub_,
                                       sessions_, uplinks_, admission_)),
      http_(shard, routes_->router(),
            {.this_machine_only = shared.dev, .trusted_proxies = shared.proxies}),
      internal_http_(shard, routes_->internal_router()) {
  // In a turn: what other shards sent, then the hub, then answers to HTTP.
  shard.add_hook(uplink_hook_);
  shard.add_hook(ticket_hook_);
  shard.add_hook(mail_hook_);
  shard.add_hook(*this);
  shard.add_hook(http_);
  shard.add_hook(internal_http_);
}

ShardWorld::~ShardWorld() = default;

void ShardWorld::adopt(const std::shared_ptr<const Policy>& policy) {
  policy_.replace(policy);
  tokens_.swap_rules(policy->tokens());
}

// All shards remember the same: one counts.
void ShardWorld::forget_expired(const Now& now) {
  revocations_.expire(now.wall / 1000);
  if (shard_.id() != 0 || revocations_.size() == counted_) return;
  revocations_gauge.add(static_cast<int64_t>(revocations_.size()) - static_cast<int64_t>(counted_));
  counted_ = revocations_.size();
}

void ShardWorld::on_turn(const Now& now) {
  forget_expired(now);
  tokens_.turn(now.wall);
  pace_ = hub_.turn(now);
  sessions_.begin_flush(flushed_);
}

Duration ShardWorld::max_sleep() const {
  // The hub looks after itself once a second.
  return pace_ == hub::Pace::kSoon ? Duration(milliseconds(1)) : Duration(seconds(1));
}

void ShardWorld::climb(MemoryStep step) {
  // A few at a time: what they free shows before the next call.
  constexpr size_t kEndedAtOnce = 100;
  const bool saving = step >= MemoryStep::kSave;
  routes_->save(saving);
  http_.save(saving);
  hub_.brake(step >= MemoryStep::kRefuse ? hub::PublishBrake::Step::kRefuse
             : saving                    ? hub::PublishBrake::Step::kSlow
                                         : hub::PublishBrake::Step::kOff);
  if (!drain_)
    admission_.close(step >= MemoryStep::kRefuse ? std::optional(http::Admission::Reason::kOverload)
                                                 : std::nullopt);
  if (step == MemoryStep::kEnd) sessions_.end_fattest(kEndedAtOnce);
}

void ShardWorld::drain(Duration window) {
  sessions_.close();
  admission_.close(http::Admission::Reason::kShutdown);
  drain_.emplace(sessions_.size(), window, shard_.now().mono);
  drain_on();
}

void ShardWorld::drain_on() {
  const Time now = shard_.now().mono;
  // Until then those who are still in may need new connections, for what they send.
  if (drain_->over(now)) {
    shard_.close_listeners();
    return sessions_.end_all(session::EndReason::kShutdown);
  }
  sessions_.end_some(session::EndReason::kShutdown, drain_->next(now));
  shard_.timers().schedule(drain_timer_, now + TimerWheel::kTick);
}

}  // namespace parley::server
