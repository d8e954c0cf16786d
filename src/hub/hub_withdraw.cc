// Publishes that wait while whoever asked for them loses the right to it: found wherever they are.
#include <algorithm>
#include <utility>

#include "hub/hub.h"

namespace parley::hub {

bool WithdrawalSet::cover(RequesterId who, StepId step, std::string_view channel) const {
  const std::vector<Withdrawal>* lost = find(who);
  return lost != nullptr && std::ranges::any_of(*lost, [&](const Withdrawal& one) {
           return (!one.step || *one.step == step) &&
                  (one.channel.empty() || one.channel == channel);
         });
}

bool WithdrawnWaiters::cover(uint64_t waiter, std::string_view channel,
                             std::string_view user) const {
  if (users_.contains(user)) return true;
  const auto [first, last] = waiters_.equal_range(waiter);
  return std::any_of(first, last, [channel](const auto& one) {
    return one.second.empty() || one.second == channel;
  });
}

// Sessions know themselves what they live by, and are gone through; those that ask for many know
// for whom.
void Hub::remember(const Control& control) {
  if (sink_ == nullptr) return;
  sink_->remember(control);
  if (control.kind == Control::Kind::kUnblock) return;
  // The anonymous user has no name that tells it from the operator.
  if (control.kind == Control::Kind::kBlock && !control.user.empty()) blocked_.insert(control.user);
  for (const RequesterId id : many_)
    if (Requester* requester = find(id)) requester->on_revoked();
}

std::shared_ptr<const WithdrawnWaiters> Hub::waiters_of(const WithdrawalSet& lost,
                                                        BlockedUsers blocked) const {
  auto waiters = std::make_shared<WithdrawnWaiters>();
  bool orphans = false;
  for (uint32_t index = 0; index < waiters_.size(); ++index) {
    const Waiter& waiter = waiters_[index];
    if (waiter.kind != Waiter::Kind::kRequester) continue;
    orphans = orphans || find(waiter.who) == nullptr;
    const std::vector<Withdrawal>* of_it = lost.find(waiter.who);
    if (of_it == nullptr) continue;
    for (const Withdrawal& one : *of_it)
      if (!one.step || *one.step == waiter.step)
        waiters->add(static_cast<uint64_t>(waiter.generation) << 32 | index, one.channel);
  }
  if (orphans) waiters->add_users(std::move(blocked));
  return waiters;
}

// What is on its way to its home is followed there by the same line; what waits for a credit to go
// must not be sent first.
void Hub::run_withdrawals() {
  const WithdrawalSet lost(std::exchange(withdrawals_, {}));
  BlockedUsers blocked = std::exchange(blocked_, {});
  brake_.withdraw(
      [&](const PublishBrake::Publish& one) {
        return lost.cover(one.who, one.step, one.record.channel.name) ||
               blocked.contains(one.record.principal);
      },
      [this](RequesterId who, StepId step) { answer_later(who, step, HubError::kRevoked); });
  const auto waiters = waiters_of(lost, std::move(blocked));
  if (waiters->empty()) return;
  for (auto& parked : parked_) {
    std::erase_if(parked, [&](const std::unique_ptr<Request>& request) {
      const auto* record = std::get_if<PublishRecord>(&request->body);
      if (record == nullptr ||
          !waiters->cover(request->waiter, record->channel.name, record->principal))
        return false;
      loopback_.push_back(
          std::make_unique<Reply>(Reply{request->waiter, std::unexpected(HubError::kRevoked)}));
      return true;
    });
  }
  // Those that wait here must not go on in the next turn, before the line is read.
  home_.withdraw(shard(), *waiters);
  for (ShardId to = 0; to < slots_.shards(); ++to) {
    auto& parked = parked_[to];
    const size_t before = parked.size();
    ask(to, {.kind = Waiter::Kind::kNobody}, WithdrawRequest{waiters});
    // None of what waits for a credit is covered any more, and what is has been sent: so the word
    // need not wait behind it.
    if (parked.size() > before) std::ranges::rotate(parked, parked.end() - 1);
  }
}

}  // namespace parley::hub
