#include "tests/sim/ledger.h"

#include <algorithm>

namespace parley::sim {

std::string Ledger::compose(const std::string& channel, size_t size) {
  std::string data = fmt::format(R"({{"n":{},"pad":")", ++composed_);
  if (data.size() + 2 < size) data.append(size - data.size() - 2, 'x');
  data += "\"}";
  publishes_[data].channel = channel;
  return data;
}

void Ledger::sent(const std::string& data, const std::string& publisher, const std::string& tag) {
  Publish& publish = publishes_[data];
  ++publish.tries;
  sim_.note("{} publishes {} to {} {}", publisher, data.substr(0, 12), publish.channel,
            publish.key);
  sim_.tell({.kind = history::Kind::kSent,
             .client = publisher,
             .channel = publish.channel,
             .value = data,
             .key = publish.key,
             .tag = tag});
}

void Ledger::ended(const std::string& data, const std::string& publisher, Outcome outcome,
                   const hub::StreamPosition& position) {
  constexpr std::string_view kWords[] = {"accepted", "refused", "unknown"};
  constexpr history::Kind kKinds[] = {history::Kind::kAcked, history::Kind::kRefused,
                                      history::Kind::kUnknown};
  sim_.note("{}: {} is {}", publisher, data.substr(0, 12), kWords[static_cast<size_t>(outcome)]);
  Publish& publish = publishes_[data];
  publish.refusals += outcome == Outcome::kRefused;
  sim_.tell({.kind = kKinds[static_cast<size_t>(outcome)],
             .client = publisher,
             .channel = publish.channel,
             .value = data,
             .epoch = hub::to_string(position.epoch),
             .offset = position.offset});
  if (publish.delivered && publish.refused()) sim_.fail("refused, but delivered: " + data);
}

void Ledger::delivered(const std::string& data) {
  const auto found = publishes_.find(data);
  if (found == publishes_.end()) return sim_.fail("invented: " + data);
  found->second.delivered = true;
  if (found->second.refused()) sim_.fail("delivered, but refused: " + data);
}

void Ledger::lives_in(const std::string& channel, const hub::Epoch& epoch) {
  if (!known_lives_.insert(name(channel, epoch)).second) return;
  newest_[channel] = name(channel, epoch);
  sim_.tell({.kind = history::Kind::kRestarted, .channel = channel, .reason = "a new life"});
}

void Ledger::sequenced(const std::string& channel, const hub::Publication& publication) {
  lives_in(channel, publication.epoch);
  Life& life = lives_[name(channel, publication.epoch)];
  const auto [first, last] = life.entries.equal_range(publication.offset);
  const auto known = std::find_if(
      first, last, [&](const auto& entry) { return entry.second.epoch == publication.epoch; });
  if (known == last) {
    ++published_;
    const std::string tag = publication.tags.empty() ? "" : publication.tags.front().second;
    const auto made = life.entries.emplace(
        publication.offset,
        Entry{publication.data, publication.epoch, publication.offset, publication.prev, tag});
    const auto publish = publishes_.find(publication.data);
    if (publish == publishes_.end() || publish->second.channel != channel)
      return sim_.fail("sequenced, but never published to " + channel + ": " + publication.data);
    publish->second.latest = &made->second;
    return;
  }
  const Entry& entry = known->second;
  if (entry.data != publication.data || entry.prev != publication.prev)
    sim_.fail(fmt::format("two publications at {} of {}", publication.offset, channel));
}

void Ledger::rolled_back(const std::string& channel, const hub::Epoch& now, uint64_t end,
                         bool lost) {
  Life& life = lives_[name(channel, now)];
  life.ends[now.generation - 1] = end;
  hub::Epoch before = now;
  --before.generation;
  if (lost)
    sim_.tell({.kind = history::Kind::kRestarted, .channel = channel, .reason = "rolled back"});
  sim_.tell({.kind = history::Kind::kEpochBegan,
             .channel = channel,
             .epoch = hub::to_string(now),
             .offset = end,
             .after = hub::to_string(before)});
}

void Ledger::answered(const std::string& channel, const std::string& key,
                      const hub::StreamPosition& position, bool sure) {
  const auto [first, made] = keys_.try_emplace({channel, key}, position);
  if (!made && sure && first->second != position && first->second.epoch == position.epoch)
    sim_.fail(fmt::format("key {} of {} was applied twice, at {} and {}", key, channel,
                          first->second.offset, position.offset));
}

const Ledger::Life* Ledger::life(const std::string& channel, const hub::Epoch& epoch) const {
  const auto found = lives_.find(name(channel, epoch));
  return found == lives_.end() ? nullptr : &found->second;
}

const Entry* Ledger::find(const std::string& channel, const std::string& data,
                          const hub::Epoch& epoch, std::optional<uint64_t> offset) const {
  const Life* in = life(channel, epoch);
  if (in == nullptr) return nullptr;
  const Entry* newest = nullptr;
  const auto look = [&](auto first, auto last) {
    for (; first != last; ++first)
      if (first->second.data == data) newest = &first->second;
  };
  if (offset) {
    const auto [first, last] = in->entries.equal_range(*offset);
    look(first, last);
  } else {
    look(in->entries.begin(), in->entries.end());
  }
  return newest;
}

const Entry* Ledger::latest(const std::string& data) const {
  const auto found = publishes_.find(data);
  return found == publishes_.end() ? nullptr : found->second.latest;
}

bool Ledger::stands(const std::string& channel, const Entry& entry) const {
  hub::Epoch newest = entry.epoch;
  newest.generation = UINT32_MAX;
  return survives(channel, {entry.epoch, entry.offset}, newest);
}

const Entry* Ledger::before(const std::string& channel, const Entry& entry) const {
  const Life* in = life(channel, entry.epoch);
  const Entry* found = nullptr;
  const auto [first, last] = in->entries.equal_range(entry.prev);
  for (auto at = first; at != last; ++at)
    if (at->second.epoch.generation <= entry.epoch.generation &&
        (found == nullptr || found->epoch.generation < at->second.epoch.generation))
      found = &at->second;
  return found;
}

const Entry* Ledger::not_replaced(const std::string& channel, const hub::Epoch& epoch,
                                  uint64_t from, uint64_t to, bool by_tag) const {
  const Life* in = life(channel, epoch);
  if (in == nullptr) return nullptr;
  std::set<std::string> later;
  const auto behind = in->entries.upper_bound(to);
  for (auto at = behind; at != in->entries.end(); ++at) later.insert(by_tag ? at->second.tag : "");
  for (auto at = in->entries.lower_bound(from); at != behind; ++at)
    if (!later.contains(by_tag ? at->second.tag : "")) return &at->second;
  return nullptr;
}

bool Ledger::survives(const std::string& channel, const hub::StreamPosition& position,
                      const hub::Epoch& later) const {
  if (!position.epoch.same_incarnation(later)) return false;
  const Life* in = life(channel, later);
  if (in == nullptr) return true;
  for (const auto& [generation, end] : in->ends)
    if (generation >= position.epoch.generation && generation < later.generation &&
        position.offset > end)
      return false;
  return true;
}

}  // namespace parley::sim
