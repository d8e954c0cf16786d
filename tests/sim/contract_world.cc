#include "tests/sim/contract_world.h"

#include <algorithm>
#include <utility>

namespace parley::sim {

ContractWorld::ContractWorld(const ContractOptions& options)
    : options_(options),
      sim_(options.seed),
      ledger_(sim_),
      ids_(options.seed),
      slots_(options.shards),
      centrifuge_(options.centrifuge, access_, rules_),
      eventsource_(access_),
      farm_(sim_, ledger_, ids_, options_) {
  add_namespaces();
  if (options_.single_connection)
    for (const char* user : {"u0", "u1", "u2"}) allow_one_connection(user);
  ledger_.set_watermark([this](const std::string& channel, uint64_t offset) {
    return rules_.find(channel)->level != hub::AckLevel::kDurable ||
           farm_.may_be_seen(home(channel), channel, offset);
  });
  tell_options();
  boot();
  add_clients();
}

ContractWorld::~ContractWorld() {
  for (const auto& client : clients_) client->leave();
  die();
}

void ContractWorld::tell_options() {
  const hub::HubOptions& hub = options_.shard.hub;
  const session::SessionLimits& session = options_.shard.session;
  constexpr std::string_view kKinds[] = {"memory", "remote", "durable"};
  sim_.note(
      "{} shards, {} broker{}; rings {}, credits {}, delay {} us, mail {}; turn {}, parked {}, "
      "tails {} {}; outbox {}, pending {}, stall {} s, flushed {}; sockets {}, history {} {}",
      options_.shards, kKinds[static_cast<size_t>(options_.broker)],
      options_.sparse ? ", sparse" : "", options_.ring_capacity, options_.credits,
      options_.shard.ring_delay / std::chrono::microseconds(1), options_.shard.mail, hub.turn_items,
      hub.parked_requests, hub.tail_bytes, options_.tail_bytes, session.outbox_bytes,
      session.pending_commands, session.write_stall / seconds(1), options_.shard.flushed_lines,
      options_.line.socket_bytes, options_.small_history, options_.large_history);
}

void ContractWorld::add_namespaces() {
  const auto add = [this](const std::string& space, hub::ChannelOptions options, int count) {
    options.tail_bytes = options_.tail_bytes;
    rules_.add(space, options);
    for (int i = 1; i <= count; ++i)
      channels_.push_back({.name = space + ":" + std::to_string(i),
                           .told = options.positioned,
                           .overflow = options.overflow,
                           .recovers = options.recoverable,
                           .delta = options.allow_delta,
                           .window = options.history_size});
  };
  const bool durable = options_.broker == BrokerKind::kDurable;
  add("h",
      {.history_size = options_.small_history,
       .history_ttl = seconds(20),
       .positioned = true,
       .recoverable = true},
      2);
  add("l",
      {.history_size = options_.large_history,
       .history_ttl = seconds(3600),
       .positioned = true,
       .recoverable = true,
       .delta_publish = true,
       .allow_delta = true,
       .allow_tags_filter = true,
       .level = durable ? hub::AckLevel::kDurable : hub::AckLevel::kAccepted},
      2);
  add("n", {}, 1);
  add("d", {.delta_publish = true, .allow_delta = true, .allow_tags_filter = true}, 1);
  add("p",
      {.history_size = 10,
       .history_ttl = seconds(3600),
       .presence = true,
       .join_leave = true,
       .positioned = true,
       .recoverable = true,
       .force_push_join_leave = true},
      1);
  add_policies(add);
}

// One channel for each policy of what becomes of a reader that is too slow; `resume` is that of
// those above. Where it conflates, a Centrifuge client is told nothing of what it does not get.
void ContractWorld::add_policies(const AddNamespace& add) {
  const auto with = [this](hub::OverflowPolicy policy, const std::string& key = "") {
    const bool history = options_.lag_history > 0 && policy != hub::OverflowPolicy::kLatest;
    return hub::ChannelOptions{.history_size = history ? options_.lag_history : 0,
                               .history_ttl = seconds(3600),
                               .overflow = {.policy = policy,
                                            .max_bytes = options_.lag_bytes,
                                            .max_delay = options_.lag_delay,
                                            .max_wait = options_.publish_wait,
                                            .key = key}};
  };
  hub::ChannelOptions drops = with(hub::OverflowPolicy::kDropOldest);
  drops.positioned = true;
  add("o", drops, 1);
  add("k", with(hub::OverflowPolicy::kLatest), 1);
  hub::ChannelOptions keyed = with(hub::OverflowPolicy::kLatest, "t");
  keyed.delta_publish = keyed.allow_delta = keyed.allow_tags_filter = true;
  add("y", keyed, 1);
  hub::ChannelOptions blocks = with(hub::OverflowPolicy::kBlock);
  blocks.positioned = true;
  add("b", blocks, 1);
}

void ContractWorld::add_clients() {
  for (size_t i = 0; i < options_.centrifuge_clients; ++i)
    add_centrifuge({.user = sim_.random.one_in(3) ? "" : "u" + std::to_string(i % 3),
                    .delta = sim_.random.one_in(2),
                    .filter = sim_.random.one_in(4) ? "1" : ""});
  for (size_t i = 0; i < options_.eventsource_clients; ++i)
    add_eventsource(channels_[sim_.random.below(channels_.size())].name);
}

CentrifugeClient& ContractWorld::add_centrifuge(CentrifugeHabits habits) {
  habits.reply_waits = options_.shard.session.write_stall;
  auto made = std::make_unique<CentrifugeClient>(*this, "client " + std::to_string(clients_.size()),
                                                 habits);
  CentrifugeClient& client = *made;
  clients_.push_back(std::move(made));
  return client;
}

EventSourceClient& ContractWorld::add_eventsource(const std::string& name) {
  auto made = std::make_unique<EventSourceClient>(
      *this, "source " + std::to_string(clients_.size()), channel(name));
  EventSourceClient& client = *made;
  clients_.push_back(std::move(made));
  return client;
}

const KnownChannel& ContractWorld::channel(const std::string& name) const {
  return *std::ranges::find(channels_, name, &KnownChannel::name);
}

// --- the node ---------------------------------------------------------------------------------

void ContractWorld::boot() {
  if (!shards_.empty()) return;
  ++lives_;
  sim_.note("the node starts");
  rings_ = std::make_unique<Rings>(options_.shards, options_.ring_capacity, options_.credits);
  std::vector<SimShard*> all;
  for (ShardId id = 0; id < options_.shards; ++id) {
    ShardOptions options = options_.shard;
    options.hub.shard = id;
    const auto maker = [this, id](std::function<void()> news) {
      return farm_.connect(id, std::move(news));
    };
    shards_.push_back(
        std::make_unique<SimShard>(sim_, options, slots_, *rings_, rules_, ids_, maker, ledger_));
    shards_.back()->tokens().misbehave(options_.late_tokens, options_.lost_tokens);
    if (calm_) calm_shard(*shards_.back());
    all.push_back(shards_.back().get());
  }
  for (const auto& shard : shards_) shard->set_others(all);
}

void ContractWorld::calm_shard(SimShard& shard) {
  shard.calm();
  shard.hub().brake(hub::PublishBrake::Step::kOff);
  farm_.calm(shard.broker().real());
}

void ContractWorld::die() {
  if (shards_.empty()) return;
  sim_.note("the node dies");
  dying_ = false;
  shards_.clear();
  rings_.reset();
  farm_.node_died();
  forget_keys();
}

// What was lost with its key would be applied once more, and rightly so; but then it could not be
// told from what was applied twice. What was never applied is still tried again.
void ContractWorld::forget_keys() {
  const bool kept = options_.broker == BrokerKind::kRemote;
  std::erase_if(keyed_, [&](const ApiPublish& publish) {
    const Entry* entry = ledger_.latest(publish.data);
    if (entry == nullptr || kept) return false;
    const bool synced = options_.broker == BrokerKind::kDurable &&
                        farm_.may_be_seen(home(publish.channel), publish.channel, entry->offset);
    return !synced || !ledger_.stands(publish.channel, *entry);
  });
}

void ContractWorld::crash(Duration away) {
  die();
  sim_.time.after(away, [this] { boot(); });
}

void ContractWorld::shut_down(Duration away) {
  sim_.note("the node is shut down");
  for (const auto& shard : shards_)
    shard->enter([&] { shard->table().end_all(session::EndReason::kShutdown); });
  dying_ = !shards_.empty();
  sim_.time.after(sim_.between(milliseconds(10), seconds(3)), [this, away, life = lives_] {
    if (life == lives_ && !shards_.empty()) crash(away);
  });
}

bool ContractWorld::connect(const std::shared_ptr<Line>& line, Door door,
                            const session::Handshake& handshake) {
  if (shards_.empty()) return false;
  const ShardId at =
      lead_ != kNoShard ? lead_ : static_cast<ShardId>(sim_.random.below(shards_.size()));
  const session::AdapterFactory& factory =
      door == Door::kCentrifuge ? static_cast<const session::AdapterFactory&>(centrifuge_)
                                : eventsource_;
  return shards_[at]->enter([&] { shards_[at]->accept(line, factory, handshake); });
}

// Some lines are much worse than others.
LineOptions ContractWorld::line_options() {
  if (calm_) return {};
  LineOptions options = options_.line;
  if (sim_.random.one_in(6)) options.delay_to *= 10;
  return options;
}

void ContractWorld::look(const std::string& channel, RecordingBroker::Seen seen) {
  if (!shards_.empty()) shards_[home(channel)]->broker().look(channel, std::move(seen));
}

// What history has by now is no more than it had then, so what it still has was there.
void ContractWorld::check_unrecovered(const std::string& who, const KnownChannel& channel,
                                      const hub::StreamPosition& position) {
  const uint64_t limit = std::min(options_.centrifuge.recovery_limit, channel.window);
  look(channel.name, [this, who, name = channel.name, position, limit](const hub::ReadPage& page) {
    const bool there = page.epoch == position.epoch && page.base <= position.offset &&
                       page.top >= position.offset && page.top - position.offset <= limit;
    if (there)
      sim_.fail(fmt::format("{} of {} did not recover from {}, though all of it is there: {}-{}",
                            who, name, position.offset, page.base, page.top));
  });
}

void ContractWorld::check_gone(const std::string& who, const std::string& channel,
                               const hub::Epoch& epoch, uint64_t to) {
  look(channel, [this, who, channel, epoch, to](const hub::ReadPage& page) {
    if (page.epoch == epoch && page.base < to)
      sim_.fail(fmt::format("{} of {} was told that {} is gone, but history begins behind {}", who,
                            channel, to, page.base));
  });
}

// --- the run ----------------------------------------------------------------------------------

void ContractWorld::pass(Duration time) {
  const Time end = sim_.now().mono + time;
  while (sim_.failure().empty() && sim_.time.run_next(end)) {
  }
}

void ContractWorld::run() {
  for (const auto& client : clients_) {
    Client* acting = client.get();
    every(options_.think * 2 / 3, [acting] { acting->act(); });
  }
  start_api();
  start_faults();
  pass(options_.length);
  settle_and_check();
}

void ContractWorld::every(Duration mean, std::function<void()> what) {
  if (mean <= Duration(0)) return;
  sim_.time.after(sim_.between(Duration(0), 2 * mean), [this, mean, what = std::move(what)] {
    if (calm_) return;
    what();
    every(mean, what);
  });
}

uint64_t ContractWorld::delivered() const {
  uint64_t sum = 0;
  for (const auto& client : clients_) sum += client->delivered();
  return sum;
}

uint64_t ContractWorld::gaps() const {
  uint64_t sum = 0;
  for (const auto& client : clients_) sum += client->gaps();
  return sum;
}

uint64_t ContractWorld::recoveries() const {
  uint64_t sum = 0;
  for (const auto& client : clients_) sum += client->recoveries();
  return sum;
}

}  // namespace parley::sim
