#include "tests/history/ledger.h"

#include <algorithm>

namespace parley::history {

Id Names::of(std::string_view name) {
  const auto [at, added] = ids_.try_emplace(std::string(name), static_cast<Id>(texts_.size()));
  if (added) texts_.push_back(&at->first);
  return at->second;
}

Reader& Ledger::reader(Id client, Id channel) {
  const auto [at, added] =
      reader_of_.try_emplace(uint64_t{client} << 32 | channel, readers_.size());
  if (added) {
    readers_.push_back({.client = client, .channel = channel, .steps = {}});
    readers_of_client_[client].push_back(at->second);
    channels_.try_emplace(channel);
  }
  return readers_[at->second];
}

void Ledger::add(const Event& event) {
  ++events_;
  switch (event.kind) {
    case Kind::kSent:
      return add_attempt(event);
    case Kind::kAcked:
    case Kind::kUnknown:
    case Kind::kRefused:
      return add_answer(event);
    case Kind::kSubscribed:
    case Kind::kDelivered:
    case Kind::kGap:
    case Kind::kUnsubscribed:
    case Kind::kDisconnected:
    case Kind::kEnded:
    case Kind::kJoin:
    case Kind::kLeave:
      return add_to_readers(event);
    case Kind::kEntered:
    case Kind::kLeft:
    case Kind::kPresence:
      return add_presence(event);
    case Kind::kRestarted:
    case Kind::kEpochBegan:
      return add_epoch(event);
    case Kind::kHealed:
      healed_ = true;
      healed_at_ = event.at;
      return;
    case Kind::kQuiet:
      quiet_ = true;
      return;
  }
}

void Ledger::add_attempt(const Event& event) {
  Channel& channel = channels_[names_.of(event.channel)];
  Published& published = channel.published[names_.of(event.value)];
  published.tag = names_.of(event.tag);
  published.attempts.push_back(
      {.publisher = names_.of(event.client), .key = names_.of(event.key), .sent = events_});
  channel.sent.push_back(events_);
}

// Answers the oldest open attempt of this publisher.
void Ledger::add_answer(const Event& event) {
  const Id publisher = names_.of(event.client);
  Published& published = channels_[names_.of(event.channel)].published[names_.of(event.value)];
  auto attempt = std::ranges::find_if(published.attempts, [&](const Attempt& one) {
    return one.publisher == publisher && one.answered == 0;
  });
  if (attempt == published.attempts.end()) {
    // Nobody sent it: an attempt of its own, so that what was acknowledged is known all the same.
    published.attempts.push_back({.publisher = publisher, .key = 0, .sent = events_});
    attempt = published.attempts.end() - 1;
  }
  attempt->answered = events_;
  attempt->answered_at = event.at;
  if (event.kind == Kind::kRefused) attempt->outcome = Attempt::Outcome::kRefused;
  if (event.kind != Kind::kAcked) return;
  attempt->outcome = Attempt::Outcome::kAcked;
  attempt->durable = event.durable;
  attempt->epoch = names_.of(event.epoch);
  attempt->offset = event.offset;
}

void Ledger::add_to_readers(const Event& event) {
  const Id client = names_.of(event.client);
  const bool of_all = event.kind == Kind::kDisconnected || event.kind == Kind::kEnded;
  if (!event.channel.empty() || !of_all)
    return add_step(event, reader(client, names_.of(event.channel)));
  for (const size_t each : readers_of_client_[client]) add_step(event, readers_[each]);
}

void Ledger::add_step(const Event& event, Reader& to) {
  const bool goes_on = event.kind != Kind::kSubscribed || event.recovered;
  if (!event.epoch.empty())
    to.epoch = names_.of(event.epoch);
  else if (!goes_on)
    to.epoch = 0;
  const bool of_member = event.kind == Kind::kJoin || event.kind == Kind::kLeave;
  to.steps.push_back({.kind = event.kind,
                      .recovered = event.recovered,
                      .positioned = event.positioned,
                      .again = event.again,
                      .has_asked = event.asked.has_value(),
                      .rolled_back = event.reason == "rolled_back",
                      .epoch = to.epoch,
                      .value = names_.of(of_member ? event.member : event.value),
                      .tag = names_.of(event.tag),
                      .reason = names_.of(event.reason),
                      .at = event.at,
                      .order = events_,
                      .offset = event.offset,
                      .from = event.from,
                      .to = event.to,
                      .asked = event.asked.value_or(0),
                      .window = event.window});
}

void Ledger::add_presence(const Event& event) {
  Channel& channel = channels_[names_.of(event.channel)];
  if (event.kind != Kind::kPresence) {
    channel.members.push_back({.order = events_,
                               .member = names_.of(event.member),
                               .here = event.kind == Kind::kEntered});
    return;
  }
  PresenceRead read{.order = events_, .client = names_.of(event.client), .members = {}};
  for (const std::string& member : event.members) read.members.insert(names_.of(member));
  channel.presence.push_back(std::move(read));
}

void Ledger::add_epoch(const Event& event) {
  if (event.kind == Kind::kEpochBegan) {
    channels_[names_.of(event.channel)].epochs[names_.of(event.epoch)] = {
        .after = names_.of(event.after), .kept = event.offset};
  } else if (event.channel.empty()) {
    restarts_of_all_.push_back(events_);
  } else {
    channels_[names_.of(event.channel)].restarts.push_back(events_);
  }
}

void Ledger::settle_channel(Id id, Channel& channel) {
  auto& restarts = channel.restarts;
  restarts.insert(restarts.end(), restarts_of_all_.begin(), restarts_of_all_.end());
  std::ranges::sort(restarts);
  for (const auto& [value, published] : channel.published)
    for (const Attempt& attempt : published.attempts) {
      if (attempt.outcome != Attempt::Outcome::kAcked || attempt.epoch == 0) continue;
      channel.seen.push_back({attempt.answered, attempt.epoch});
      const Place at = place(id, attempt.epoch, attempt.offset);
      if (at.offset != 0) channel.known[at.epoch].try_emplace(at.offset, value);
    }
}

void Ledger::settle_seen() {
  for (auto& [id, channel] : channels_) {
    std::ranges::sort(channel.seen);
    std::set<Id> before;
    std::erase_if(channel.seen, [&](const auto& one) { return !before.insert(one.second).second; });
  }
}

void Ledger::settle() {
  for (auto& [id, channel] : channels_) settle_channel(id, channel);
  for (const Reader& reader : readers_) {
    Channel& channel = channels_.at(reader.channel);
    Id last = 0, stood = 0;
    for (const Step& step : reader.steps) {
      if (step.epoch != 0 && stood != 0 && step.epoch != stood) channel.left.insert(stood);
      if (step.epoch != 0) stood = step.epoch;
      if (step.epoch != last && step.epoch != 0) channel.seen.push_back({step.order, step.epoch});
      last = step.epoch;
      if (step.kind != Kind::kDelivered || step.offset == 0) continue;
      const Place at = place(reader.channel, step.epoch, step.offset);
      channel.known[at.epoch].try_emplace(at.offset, step.value);
    }
  }
  settle_seen();
}

const Published* Ledger::published(Id channel, Id value) const {
  const auto& published = channels_.at(channel).published;
  const auto at = published.find(value);
  return at == published.end() ? nullptr : &at->second;
}

Place Ledger::place(Id channel, Id epoch, uint64_t offset) const {
  const auto& epochs = channels_.at(channel).epochs;
  for (auto at = epochs.find(epoch);
       at != epochs.end() && at->second.after != 0 && offset <= at->second.kept;
       at = epochs.find(epoch))
    epoch = at->second.after;
  return {epoch, offset};
}

bool Ledger::same_until(Id channel, Id one, Id other, uint64_t offset) const {
  return one == other || place(channel, one, offset).epoch == place(channel, other, offset).epoch;
}

Id Ledger::newest(Id channel, Id epoch, uint64_t offset) const {
  for (const auto& [next, start] : channels_.at(channel).epochs)
    if (start.after == epoch && offset <= start.kept) return newest(channel, next, offset);
  return epoch;
}

void Ledger::each_known(Id channel_id, Id epoch, uint64_t low, uint64_t high,
                        const std::function<void(uint64_t, Id)>& take) const {
  const Channel& channel = channels_.at(channel_id);
  const auto start = channel.epochs.find(epoch);
  uint64_t kept = 0;
  if (start != channel.epochs.end() && start->second.after != 0) {
    kept = start->second.kept;
    if (low < kept) each_known(channel_id, start->second.after, low, std::min(high, kept), take);
  }
  const auto known = channel.known.find(epoch);
  if (known == channel.known.end()) return;
  for (auto at = known->second.upper_bound(std::max(low, kept));
       at != known->second.end() && at->first <= high; ++at)
    take(at->first, at->second);
}

}  // namespace parley::history
