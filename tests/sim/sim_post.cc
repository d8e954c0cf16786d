#include "tests/sim/sim_post.h"

#include <algorithm>

#include "base/check.h"

namespace parley::sim {
namespace {

bool is_reply(const hub::HubMessage& message) {
  return std::holds_alternative<std::unique_ptr<hub::Reply>>(message) ||
         std::holds_alternative<hub::Done>(message);
}
bool is_request(const hub::HubMessage& message) {
  return std::holds_alternative<std::unique_ptr<hub::Request>>(message);
}

}  // namespace

Rings::Rings(ShardId shards, size_t capacity, size_t credits)
    : shards_(shards), capacity_(capacity), credits_(credits), rings_(shards * shards) {
  for (Ring& ring : rings_) ring.credits = credits;
}

hub::HubMessage Rings::take(ShardId from, ShardId to) {
  Ring& taken = ring(from, to);
  hub::HubMessage message = std::move(taken.messages.front());
  taken.messages.pop_front();
  // The answer was drained at its origin: the request's credit is free again.
  if (is_reply(message)) ++ring(to, from).credits;
  if (!is_reply(message) && !is_request(message)) --taken.feeds;
  return message;
}

bool Rings::empty() const {
  return std::ranges::all_of(rings_, [](const Ring& ring) { return ring.messages.empty(); });
}

bool Rings::all_credits_back() const {
  return std::ranges::all_of(rings_, [this](const Ring& ring) { return ring.credits == credits_; });
}

bool SimPost::take_credit(ShardId to) {
  Rings::Ring& ring = rings_.ring(shard_, to);
  if (rings_.closed || ring.credits == 0) {
    ++rings_.refused_credits;
    return false;
  }
  --ring.credits;
  return true;
}

void SimPost::send_request(ShardId to, hub::HubMessage message) {
  CHECK(to != shard_ && is_request(message));
  rings_.ring(shard_, to).messages.push_back(std::move(message));
}

void SimPost::send_reply(ShardId to, hub::HubMessage message) {
  CHECK(to != shard_ && is_reply(message));
  rings_.ring(shard_, to).messages.push_back(std::move(message));
}

bool SimPost::try_send(ShardId to, hub::HubMessage& message) {
  CHECK(to != shard_ && !is_reply(message) && !is_request(message));
  Rings::Ring& ring = rings_.ring(shard_, to);
  if (rings_.closed || ring.feeds >= rings_.capacity()) {
    ++rings_.refused_feeds;
    return false;
  }
  ++ring.feeds;
  ring.messages.push_back(std::move(message));
  return true;
}

}  // namespace parley::sim
