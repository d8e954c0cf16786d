#include "hub/publish_gate.h"

#include <algorithm>
#include <utility>

#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Gauge waiting_gauge("parley_publishes_waiting",
                             "Publishes that wait for a slow subscriber of their channel");
enum class End : uint8_t { kAdmitted, kTimeout, kNoRoom };
constexpr std::string_view kEnds[] = {"admitted", "timeout", "no_room"};
metrics::CounterFamily ends("parley_publishes_blocked_total",
                            "Publishes that met a slow subscriber of their channel, by what "
                            "became of them",
                            "outcome", kEnds);

// So much of what its readers may be behind goes on in one turn: behind a burst they would be too
// far behind again.
constexpr size_t kPartPerTurn = 8;

}  // namespace

PublishGate::~PublishGate() { waiting_gauge.add(-static_cast<int64_t>(publishes_)); }

bool PublishGate::blocked(const Gate& gate, const Publish& publish) {
  return std::ranges::any_of(gate.notes, [&](const Note& note) {
    const bool own = note.backlog.kind == Backlog::Kind::kOne && note.shard == publish.from &&
                     note.backlog.one == publish.who;
    return !own;
  });
}

bool PublishGate::has_room(const Publish& publish, size_t cost) const {
  const size_t here = publish.from < of_shard_.size() ? of_shard_[publish.from] : 0;
  return publishes_ < limits_.publishes && bytes_ + cost <= limits_.bytes &&
         (publish.from == home_ || here < limits_.of_shard);
}

bool PublishGate::hold(Publish& publish, const Now& now) {
  if (gates_.empty()) return false;
  const auto found = gates_.find(publish.record.channel.name);
  if (found == gates_.end()) return false;
  Gate& gate = found->second;
  std::erase_if(gate.notes, [&](const Note& note) { return note.until <= now.mono; });
  // Behind those of the same publisher in any case; behind all others once nobody is slow.
  const bool queued = std::ranges::any_of(gate.waiting, [&](const Waiting& waiting) {
    const Publish& other = waiting.publish;
    return gate.notes.empty() || (other.from == publish.from && other.who == publish.who);
  });
  if (!queued && !blocked(gate, publish)) return false;
  const size_t cost = publish.record.publication->cost();
  if (!has_room(publish, cost)) {
    ends.add(End::kNoRoom);
    outcome_.refuse(publish);
    return true;
  }
  if (publish.from >= of_shard_.size()) of_shard_.resize(publish.from + size_t{1});
  ++of_shard_[publish.from];
  ++publishes_;
  bytes_ += cost;
  waiting_gauge.add(1);
  const Time deadline = now.mono + publish.record.options->overflow.max_wait;
  gate.waiting.push_back({std::move(publish), deadline, cost});
  return true;
}

void PublishGate::leave(const Waiting& waiting) {
  --of_shard_[waiting.publish.from];
  --publishes_;
  bytes_ -= waiting.cost;
  waiting_gauge.add(-1);
}

void PublishGate::note(const std::string& channel, ShardId from, const Backlog& backlog,
                       const Now& now) {
  forget(channel, from);
  if (backlog.kind == Backlog::Kind::kNobody) return;
  gates_[channel].notes.push_back({from, backlog, now.mono + kBelieved});
}

void PublishGate::forget(const std::string& channel, ShardId from) {
  if (gates_.empty()) return;
  const auto found = gates_.find(channel);
  if (found == gates_.end()) return;
  std::erase_if(found->second.notes, [from](const Note& note) { return note.shard == from; });
}

void PublishGate::turn(const Now& now) {
  for (auto next = gates_.begin(); next != gates_.end();) {
    Gate& gate = next->second;
    run(gate, now);
    const bool over = gate.notes.empty() && gate.waiting.empty();
    next = over ? gates_.erase(next) : std::next(next);
  }
}

void PublishGate::run(Gate& gate, const Now& now) {
  std::erase_if(gate.notes, [&](const Note& note) { return note.until <= now.mono; });
  if (gate.waiting.empty()) return;
  const auto of_many = [](const Note& note) { return note.backlog.kind == Backlog::Kind::kMany; };
  if (gate.waiting.front().deadline > now.mono && std::ranges::any_of(gate.notes, of_many)) return;
  const size_t portion =
      gate.waiting.front().publish.record.options->overflow.max_bytes / kPartPerTurn;
  size_t admitted = 0;
  bool full = false;
  std::erase_if(gate.waiting, [&](Waiting& waiting) {
    bool free = !full && !blocked(gate, waiting.publish);
    // The first one goes however large it is; none overtakes one that is too large now.
    full = full || (free && admitted > 0 && admitted + waiting.cost > portion);
    free = free && !full;
    if (!free && waiting.deadline > now.mono) return false;
    leave(waiting);
    ends.add(free ? End::kAdmitted : End::kTimeout);
    if (free) {
      admitted += waiting.cost;
      outcome_.admit(std::move(waiting.publish), now);
    } else {
      outcome_.refuse(waiting.publish);
    }
    return true;
  });
}

}  // namespace parley::hub
