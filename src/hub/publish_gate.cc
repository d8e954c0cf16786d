#include "hub/publish_gate.h"

#include <algorithm>
#include <utility>

#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Gauge waiting_gauge("parley_publishes_waiting",
                             "Publishes that wait for a slow subscriber of their channel");
enum class End : uint8_t { kAdmitted, kTimeout, kNoRoom, kRevoked };
constexpr std::string_view kEnds[] = {"admitted", "timeout", "no_room", "revoked"};
metrics::CounterFamily ends("parley_publishes_blocked_total",
                            "Publishes that met a slow subscriber of their channel, by what "
                            "became of them",
                            "outcome", kEnds);

// So much of what its readers may be behind goes on in one turn: behind a burst they would be too
// far behind again.
constexpr size_t kPartPerTurn = 8;
// So many channels share what may wait, at least.
constexpr size_t kChannels = 4;

size_t at(const std::vector<size_t>& counts, ShardId shard) {
  return shard < counts.size() ? counts[shard] : 0;
}
size_t& grown(std::vector<size_t>& counts, ShardId shard) {
  if (shard >= counts.size()) counts.resize(shard + size_t{1});
  return counts[shard];
}

}  // namespace

PublishGate::~PublishGate() { waiting_gauge.add(-static_cast<int64_t>(publishes_)); }

bool PublishGate::blocked(const Gate& gate, const Asked& asked) {
  if (!gate.behind.empty()) return true;
  return std::ranges::any_of(gate.notes, [&](const Note& note) {
    const bool own = note.backlog.kind == Backlog::Kind::kOne && note.shard == asked.from &&
                     note.backlog.one == asked.who;
    return !own;
  });
}

// Behind those of the same publisher in any case; behind all others once nobody is slow.
bool PublishGate::must_queue(const Gate& gate, const Asked& asked) {
  if (!gate.is_slow()) return !gate.waiting.empty();
  return std::ranges::any_of(gate.waiting, [&](const Waiting& waiting) {
    return waiting.publish.from == asked.from && waiting.publish.who == asked.who;
  });
}

PublishGate::Gate* PublishGate::find(const std::string& channel, const Now& now) {
  if (gates_.empty()) return nullptr;
  const auto found = gates_.find(channel);
  if (found == gates_.end()) return nullptr;
  std::erase_if(found->second.notes, [&](const Note& note) { return note.until <= now.mono; });
  return &found->second;
}

uint64_t PublishGate::hash_of(const std::string& channel) {
  if (recent_ != channel) {
    recent_ = channel;
    recent_hash_ = SeededHash{}(channel);
  }
  return recent_hash_;
}

bool PublishGate::has_room(const Gate& gate, const Asked& asked, size_t cost) const {
  if (publishes_ >= limits_.publishes || bytes_ + cost > limits_.bytes) return false;
  // One alone may be larger than a quarter.
  if (gate.waiting.size() >= limits_.publishes / kChannels) return false;
  if (!gate.waiting.empty() && gate.bytes + cost > limits_.bytes / kChannels) return false;
  if (asked.from == home_) return true;
  // Those that wait for their turn only give their credits back soon.
  const size_t most = gate.is_slow() ? limits_.of_shard : 2 * limits_.of_shard;
  return at(of_shard_, asked.from) < most &&
         at(gate.of_shard, asked.from) < std::max<size_t>(most / kChannels, 1);
}

bool PublishGate::hold(const Asked& asked, PublishRecord& record, const Now& now) {
  const std::string& channel = record.channel.name;
  Gate* gate = find(channel, now);
  const size_t cost = record.publication->cost();
  // Its namespace may have had this policy only when those before it came.
  const OverflowOptions& overflow = record.options->overflow;
  const bool blocks = overflow.policy == OverflowPolicy::kBlock;
  const bool waits =
      gate != nullptr && (must_queue(*gate, asked) || (blocks && blocked(*gate, asked)));
  if (!waits && (!blocks || admitted_.take(hash_of(channel), cost, overflow.max_bytes)))
    return false;
  if (gate == nullptr) gate = &gates_[channel];
  if (has_room(*gate, asked, cost)) {
    enter(*gate, {asked, std::move(record)}, cost, now);
  } else {
    ends.add(End::kNoRoom);
    outcome_.refuse(asked, HubError::kOverloaded);
  }
  return true;
}

void PublishGate::enter(Gate& gate, Publish publish, size_t cost, const Now& now) {
  const Time deadline = now.mono + publish.record.options->overflow.max_wait;
  ++grown(of_shard_, publish.from);
  ++grown(gate.of_shard, publish.from);
  ++publishes_;
  bytes_ += cost;
  gate.bytes += cost;
  waiting_gauge.add(1);
  gate.was_slow = gate.was_slow || gate.is_slow();
  gate.waiting.push_back({std::move(publish), deadline, cost});
}

void PublishGate::leave(Gate& gate, const Waiting& waiting) {
  --of_shard_[waiting.publish.from];
  --gate.of_shard[waiting.publish.from];
  --publishes_;
  bytes_ -= waiting.cost;
  gate.bytes -= waiting.cost;
  waiting_gauge.add(-1);
}

void PublishGate::note(const std::string& channel, ShardId from, const Backlog& backlog,
                       const Now& now) {
  forget(channel, from);
  if (backlog.kind == Backlog::Kind::kNobody) return;
  gates_[channel].notes.push_back({from, backlog, now.mono + kBelieved});
}

void PublishGate::set_behind(const std::string& channel, ShardId shard, bool behind) {
  if (!behind && gates_.empty()) return;
  const auto found = behind ? gates_.try_emplace(channel).first : gates_.find(channel);
  if (found == gates_.end()) return;
  auto& shards = found->second.behind;
  std::erase(shards, shard);
  if (behind) shards.push_back(shard);
}

void PublishGate::forget(const std::string& channel, ShardId from) {
  if (gates_.empty()) return;
  const auto found = gates_.find(channel);
  if (found == gates_.end()) return;
  Gate& gate = found->second;
  std::erase_if(gate.notes, [from](const Note& note) { return note.shard == from; });
  std::erase(gate.behind, from);
}

void PublishGate::withdraw(ShardId from, const WithdrawnWaiters& waiters) {
  if (!waiting()) return;
  for (auto& [name, gate] : gates_) {
    std::erase_if(gate.waiting, [&](const Waiting& waiting) {
      const Publish& publish = waiting.publish;
      if (publish.from != from || !waiters.cover(publish.waiter, name, publish.record.principal))
        return false;
      leave(gate, waiting);
      ends.add(End::kRevoked);
      outcome_.refuse(waiting.publish, HubError::kRevoked);
      return true;
    });
  }
}

void PublishGate::turn(const Now& now) {
  for (auto next = gates_.begin(); next != gates_.end();) {
    Gate& gate = next->second;
    run(gate, hash_of(next->first), now);
    const bool over = !gate.is_slow() && gate.waiting.empty();
    next = over ? gates_.erase(next) : std::next(next);
  }
}

void PublishGate::run(Gate& gate, uint64_t channel, const Now& now) {
  std::erase_if(gate.notes, [&](const Note& note) { return note.until <= now.mono; });
  if (gate.waiting.empty()) {
    gate.was_slow = false;
    return;
  }
  gate.was_slow = gate.was_slow || gate.is_slow();
  const auto of_many = [](const Note& note) { return note.backlog.kind == Backlog::Kind::kMany; };
  const bool nobody_goes = !gate.behind.empty() || std::ranges::any_of(gate.notes, of_many);
  if (gate.waiting.front().deadline > now.mono && nobody_goes) return;
  const size_t most = gate.waiting.front().publish.record.options->overflow.max_bytes;
  const size_t portion = gate.was_slow ? most / kPartPerTurn : most;
  size_t admitted = 0;
  bool full = false;
  std::erase_if(gate.waiting, [&](Waiting& waiting) {
    bool free = !full && !blocked(gate, waiting.publish);
    // The first one goes however large it is; none overtakes one that is too large now.
    if (free)
      full = (admitted > 0 && admitted + waiting.cost > portion) ||
             !admitted_.take(channel, waiting.cost, most);
    free = free && !full;
    if (!free && waiting.deadline > now.mono) return false;
    leave(gate, waiting);
    ends.add(free ? End::kAdmitted : End::kTimeout);
    if (free) {
      admitted += waiting.cost;
      outcome_.admit(std::move(waiting.publish), now);
    } else {
      outcome_.refuse(waiting.publish, HubError::kOverloaded);
    }
    return true;
  });
}

}  // namespace parley::hub
