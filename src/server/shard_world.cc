#include "server/shard_world.h"

#include "server/routes.h"

namespace parley::server {
namespace {
constexpr size_t kMailPerTurn = 4096;

session::SessionLimits session_limits(const config::Config& config) {
  return {.outbox_bytes = config.client.queue_max_size};
}

}  // namespace

ShardWorld::ShardWorld(io::Shard& shard, HubMail& mail, UplinkBoxes& uplink_mail,
                       const Shared& shared)
    : shard_(shard),
      policy_(shared.policy),
      fetcher_(shared.keys, shard.id(),
               [this](const std::string& url, const Result<std::string>& answer) {
                 tokens_.on_fetched(url, answer, shard_.now().wall);
               }),
      tokens_(shared.policy->tokens(), fetcher_),
      broker_({}, ids_, shard.now()),
      post_(mail, shard.id()),
      hub_({.shard = shard.id()}, shared.slots, broker_, post_, policy_, ids_),
      mail_hook_(mail, shard.id(), kMailPerTurn,
                 [this](ShardId from, hub::HubMessage&& message) {
                   hub_.receive(from, std::move(message));
                 }),
      uplink_line_(uplink_mail, shard.id()),
      uplinks_(shard.id(), shared.slots.shards(), uplink_line_, ids_),
      uplink_hook_(uplink_mail, shard.id(), kMailPerTurn,
                   [this](ShardId from, session::UplinkMail&& one) {
                     uplinks_.receive(from, std::move(one));
                   }),
      sessions_(hub_, shard.timers(), ids_, tokens_, session_limits(shared.config)),
      routes_(std::make_unique<Routes>(shared, policy_, tokens_, hub_, sessions_, uplinks_)),
      http_(shard, routes_->router(), {.this_machine_only = shared.dev}),
      internal_http_(shard, routes_->internal_router()) {
  // In a turn: what other shards sent, then the hub, then answers to HTTP.
  shard.add_hook(uplink_hook_);
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

void ShardWorld::on_turn(const Now& now) {
  pace_ = hub_.turn(now);
  sessions_.begin_flush(flushed_);
}

Duration ShardWorld::max_sleep() const {
  // The hub looks after itself once a second.
  return pace_ == hub::Pace::kSoon ? Duration(milliseconds(1)) : Duration(seconds(1));
}

void ShardWorld::drain() {
  shard_.close_listeners();
  sessions_.close();
  sessions_.end_all(session::EndReason::kShutdown);
}

}  // namespace parley::server
