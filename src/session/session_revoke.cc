// What a session lives by, what becomes of it when that is taken back, and what is told of it.
#include <fmt/format.h>

#include "session/session.h"
#include "session/session_table.h"

namespace parley::session {
namespace {

hub::ConnectionFacts::Token to_facts(const auth::TokenId& id) { return {id.uid, id.issued_at}; }

}  // namespace

ShownTokens& Session::shown() {
  if (!shown_) shown_ = std::make_unique<ShownTokens>();
  return *shown_;
}

// Adapters that refuse a good token after all end the session, or neither subscribe nor renew.
std::optional<VerifiedSubscription> Session::take_note(auth::TokenUse use,
                                                       const auth::Claims& claims) {
  if (use == auth::TokenUse::kSubscribe)
    return VerifiedSubscription{claims.grant.channel, claims.id};
  by_token_ = true;
  if (shown_ || claims.id != auth::TokenId{} || !claims.meta.empty()) {
    shown().connection = claims.id;
    shown().meta = claims.meta;
  }
  return std::nullopt;
}

void Session::execute(RenewCommand& command) {
  const VerifiedSubscription* verified = table_.verified_subscription_;
  if (verified != nullptr && find(command.handle) != nullptr)
    shown().keep(command.handle, verified->channel, verified->id);
}

std::optional<EndReason> Session::objection() const {
  const auth::Revocations* revocations = table_.revocations_;
  if (revocations == nullptr || revocations->empty()) return std::nullopt;
  const std::string_view user = adapter_->identity().user;
  if (revocations->is_blocked(user)) return EndReason::kBlocked;
  const auth::TokenId id = shown_ ? shown_->connection : auth::TokenId{};
  if (by_token_ && revocations->judge(auth::TokenUse::kConnect, user, id, {}))
    return EndReason::kRevoked;
  return std::nullopt;
}

std::vector<std::string> Session::revoked_channels() const {
  std::vector<std::string> revoked;
  if (!shown_ || table_.revocations_ == nullptr || table_.revocations_->empty()) return revoked;
  const std::string_view user = adapter_->identity().user;
  for (const ShownTokens::OfSubscription& one : shown_->subscriptions)
    if (table_.revocations_->judge(auth::TokenUse::kSubscribe, user, one.id, one.channel))
      revoked.push_back(one.channel);
  return revoked;
}

// What it asked for and is not done yet is not done any more, as far as it lost the right to it.
void Session::withdraw_revoked() {
  if (pending_ == 0) return;
  if (objection()) return table_.hub().withdraw({.who = requester_});
  for (std::string& channel : revoked_channels())
    table_.hub().withdraw({.who = requester_, .channel = std::move(channel)});
}

void Session::recheck() {
  if (ended_) return;
  if (const auto objection = this->objection()) return end(*objection);
  withdraw_revoked();
  for (std::string& channel : revoked_channels()) {
    hub::Control off;
    off.kind = hub::Control::Kind::kUnsubscribe;
    off.channel = std::move(channel);
    control(off);
  }
}

bool Session::shows(std::string_view token) const {
  if (!shown_) return false;
  return shown_->connection.uid == token ||
         std::ranges::any_of(shown_->subscriptions,
                             [token](const auto& one) { return one.id.uid == token; });
}

hub::ConnectionFacts Session::facts() const {
  const Identity who = adapter_->identity();
  const Description description = adapter_->describe();
  hub::ConnectionFacts facts;
  facts.client = who.client;
  facts.user = who.user;
  facts.app_name = description.app_name;
  facts.app_version = description.app_version;
  facts.transport = table_.transports_[transport_];
  facts.protocol = description.encoding;
  // Protocols without ids of their own.
  if (facts.client.empty())
    facts.client = fmt::format("{}-{}-{}", facts.transport, table_.hub().shard(), born_);
  for (const Place& place : places_) {
    const hub::Subscription* subscription = place.subscription.get();
    if (subscription != nullptr && subscription->live() &&
        subscription->channel()->key().aspect == hub::Aspect::kMessages)
      facts.channels.push_back(subscription->channel()->key().name);
  }
  if (!shown_) return facts;
  facts.token = to_facts(shown_->connection);
  facts.meta = shown_->meta;
  for (const ShownTokens::OfSubscription& one : shown_->subscriptions)
    facts.subscription_tokens.emplace_back(one.channel, to_facts(one.id));
  return facts;
}

}  // namespace parley::session
