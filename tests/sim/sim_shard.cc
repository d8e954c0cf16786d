#include "tests/sim/sim_shard.h"

#include <algorithm>
#include <utility>

namespace parley::sim {

SimShard::SimShard(Simulation& sim, const ShardOptions& options, const hub::SlotTable& slots,
                   Rings& rings, const hub::ChannelRules& rules, IdSource& ids,
                   const BrokerMaker& make_broker, Ledger& ledger)
    : sim_(sim),
      options_(options),
      rings_(rings),
      broker_(make_broker([this] { want_turn(); }), ledger),
      post_(rings, options.hub.shard),
      tokens_(sim),
      timers_(sim.now().mono),
      hub_(std::make_unique<hub::Hub>(options.hub, slots, broker_, post_, rules, ids)),
      table_(
          std::make_unique<session::SessionTable>(*hub_, timers_, ids, tokens_, options.session)),
      arriving_(slots.shards()) {
  self_ = hub_->add(*this);
  broker_.on_news([this] { want_turn(); });
  tokens_.on_answer([this](std::function<void()> tell) { return enter(std::move(tell)); });
  want_turn();
}

SimShard::~SimShard() {
  *alive_ = false;
  for (const auto& line : lines_) line->server_gone();
  affinity::set_current(options_.hub.shard);
  table_.reset();
  hub_->remove(self_);
  hub_.reset();
  affinity::set_current(kNoShard);
}

bool SimShard::enter(std::function<void()> work) {
  if (sim_.now().mono < stalled_until_) return false;
  affinity::set_current(options_.hub.shard);
  hub_->set_now(sim_.now());
  work();
  affinity::set_current(kNoShard);
  pump();
  want_turn();
  return true;
}

void SimShard::calm() {
  options_.ring_delay = std::min<Duration>(options_.ring_delay, milliseconds(1));
  tokens_.misbehave(0, 0);
}

void SimShard::cut_lines() {
  for (const auto& line : lines_) line->cut();
}

void SimShard::stall(Duration duration) {
  sim_.note("shard {} stands still for {} ms", options_.hub.shard, duration / milliseconds(1));
  stalled_until_ = sim_.now().mono + duration;
}

void SimShard::want_turn() {
  schedule_turn(sim_.now().mono + sim_.between(Duration(0), std::chrono::microseconds(300)));
}

void SimShard::schedule_turn(Time at) {
  at = std::max(at, stalled_until_);
  if (at >= next_turn_) return;
  next_turn_ = at;
  sim_.time.at(at, [this, alive = alive_, id = ++turn_id_] {
    if (!*alive || id != turn_id_) return;
    next_turn_ = Time::max();
    turn();
  });
}

void SimShard::turn() {
  if (sim_.now().mono < stalled_until_) return schedule_turn(stalled_until_);
  affinity::set_current(options_.hub.shard);
  hub_->set_now(sim_.now());
  pace_ = hub_->turn(sim_.now());
  timers_.advance(sim_.now(), SIZE_MAX);
  table_->begin_flush(flushed_);
  flush_lines();
  affinity::set_current(kNoShard);
  pump();
  const Time now = sim_.now().mono;
  const bool busy = pace_ == hub::Pace::kNow || hub_->has_work() || !flushed_ ||
                    std::ranges::any_of(lines_, [](const auto& line) { return line->woken(); });
  if (busy) return want_turn();
  const Duration most =
      pace_ == hub::Pace::kSoon ? Duration(milliseconds(1)) : Duration(seconds(1));
  schedule_turn(std::min(now + most, timers_.next_due().value_or(Time::max())));
}

// Who could not be served this time is first next time.
void SimShard::flush_lines() {
  std::erase_if(lines_, [](const auto& line) { return !line->carrying(); });
  size_t left = options_.flushed_lines;
  flushed_ = true;
  const size_t first = next_line_;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const size_t at = (first + i) % lines_.size();
    if (!lines_[at]->woken()) continue;
    if (left == 0) {
      if (std::exchange(flushed_, false)) next_line_ = at;
      continue;
    }
    --left;
    // A copy, because the line's end may take it off the list.
    const std::shared_ptr<Line> line = lines_[at];
    if (const ByteView shared = line->lend_shared(); !shared.empty()) {
      lent_.emplace_back(line, shared);
    } else {
      write_shared();
      line->flush();
    }
  }
  write_shared();
}

void SimShard::write_shared() {
  for (const auto& [line, lent] : std::exchange(lent_, {})) line->write_shared(lent);
}

// Between two shards order is kept; nothing else is promised.
void SimShard::pump() {
  const ShardId self = options_.hub.shard;
  for (ShardId to = 0; to < shards_.size(); ++to) {
    if (to == self || rings_.ring(self, to).messages.empty() || shards_[to]->arriving_[self])
      continue;
    shards_[to]->arriving_[self] = true;
    sim_.time.after(sim_.between(Duration(0), options_.ring_delay),
                    [target = shards_[to], alive = shards_[to]->alive_, self] {
                      if (*alive) target->receive_from(self);
                    });
  }
}

void SimShard::receive_from(ShardId from) {
  const ShardId self = options_.hub.shard;
  const bool here = enter([&] {
    size_t left = options_.mail;
    for (; left > 0 && !rings_.ring(from, self).messages.empty(); --left)
      hub_->receive(from, rings_.take(from, self));
  });
  if (here) arriving_[from] = false;
  if (here && rings_.ring(from, self).messages.empty()) return;
  arriving_[from] = true;
  const Time again =
      here ? sim_.now().mono + sim_.between(Duration(0), options_.ring_delay) : stalled_until_;
  sim_.time.at(again, [this, alive = alive_, from] {
    if (*alive) receive_from(from);
  });
}

void SimShard::accept(const std::shared_ptr<Line>& line, const session::AdapterFactory& factory,
                      const session::Handshake& handshake) {
  line->carry(*this, table_->open(factory.make(), *line, handshake));
  lines_.push_back(line);
}

hub::StepId SimShard::open(Answered answered) {
  open_.emplace(++last_step_, std::move(answered));
  return last_step_;
}

void SimShard::on_answer(hub::StepId step, hub::Answer answer) {
  auto found = open_.extract(step);
  if (found.empty()) return sim_.fail("an answer that nobody waits for");
  found.mapped()(std::move(answer));
}

void SimShard::publish(hub::PublishRecord record, Answered answered) {
  enter([&] { hub_->publish(self_, open(std::move(answered)), std::move(record)); });
}

void SimShard::control(hub::Control control, Answered answered) {
  enter([&] {
    hub_->control(self_, open(std::move(answered)),
                  std::make_shared<const hub::Control>(std::move(control)));
  });
}

void SimShard::history(const std::string& channel, const hub::ReadQuery& query, Answered answered) {
  enter([&] { hub_->history(self_, open(std::move(answered)), channel, query); });
}

void SimShard::remove_history(const std::string& channel, Answered answered) {
  enter([&] { hub_->remove_history(self_, open(std::move(answered)), channel); });
}

void SimShard::presence(const std::string& channel, Answered answered) {
  enter([&] { hub_->presence(self_, open(std::move(answered)), channel); });
}

bool SimShard::idle() const {
  return pace_ == hub::Pace::kIdle && open_.empty() && !hub_->has_work() && flushed_;
}

}  // namespace parley::sim
