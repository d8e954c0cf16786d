#include "tests/sim/hub_world.h"

#include <algorithm>

#include "base/affinity.h"

namespace parley::sim {

using hub::Aspect;
using hub::Change;
using hub::Start;

namespace {
constexpr std::string_view kPresenceChannel = "p:room";
constexpr size_t kMembers = 8;
}  // namespace

WorldOptions options_of_seed(uint64_t seed) {
  Random random(seed * 7919 + 13);
  WorldOptions options{.seed = seed};
  constexpr ShardId kShards[] = {1, 2, 4};
  options.shards = kShards[seed % 3];
  options.ring_capacity = 1 + random.below(8);
  options.credits = 1 + random.below(4);
  options.parked_requests = random.one_in(4) ? 3 : 4096;
  options.turn_items = 1 + random.below(40);
  options.readers = 4 + random.below(16);
  options.remote = random.one_in(2);
  options.sparse = random.one_in(3);
  options.faults = random.one_in(2);
  options.policies = random.one_in(2);
  if (random.one_in(2)) options.tail_bytes = (1 + random.below(20)) * sizeof(hub::Publication);
  return options;
}

HubWorld::Node::Node(HubWorld& owner, ShardId id)
    : world(owner),
      broker({.remote = owner.options_.remote,
              .sparse = owner.options_.sparse,
              .seed = owner.options_.seed * 64 + id + 1}),
      post(owner.rings_, id),
      hub(std::make_unique<hub::Hub>(
          hub::HubOptions{.shard = id,
                          .parked_requests = owner.options_.parked_requests,
                          .tail_bytes = owner.options_.tail_bytes,
                          .turn_items = owner.options_.turn_items},
          owner.slots_, broker, post, owner.rules_, owner.ids_)) {
  self = hub->add(*this);
}

HubWorld::HubWorld(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      slots_(options.shards),
      ids_(options.seed),
      rings_(options.shards, options.ring_capacity, options.credits) {
  const size_t small = 6 * sizeof(hub::Publication);
  rules_.add("h", {.history_size = 25, .history_ttl = seconds(3600), .tail_bytes = small});
  rules_.add("d", {.history_size = 400,
                   .history_ttl = seconds(3600),
                   .allow_delta = true,
                   .tail_bytes = small});
  rules_.add("n", {.tail_bytes = small});
  hub::OverflowOptions overflow{.policy = hub::OverflowPolicy::kLatest,
                                .max_bytes = 2 * sizeof(hub::Publication)};
  rules_.add("l", {.tail_bytes = small, .overflow = overflow});
  overflow.policy = hub::OverflowPolicy::kDropOldest;
  rules_.add("o", {.tail_bytes = small, .overflow = overflow});
  overflow.policy = hub::OverflowPolicy::kBlock;
  rules_.add("b", {.tail_bytes = 2 * small, .overflow = overflow});
  rules_.add("p", {.presence = true, .join_leave = true, .tail_bytes = small});
  channels_ = {"h:1", "h:2", "d:1", "d:2", "n:1"};
  if (options.policies) channels_ = {"h:1", "d:1", "o:1", "l:1", "b:1"};
  for (ShardId id = 0; id < options.shards; ++id)
    nodes_.push_back(std::make_unique<Node>(*this, id));
  for (size_t i = 0; i < options.readers; ++i)
    add_reader(random_.one_in(6) ? std::string(kPresenceChannel) : any_channel());
}

HubWorld::~HubWorld() {
  affinity::set_current(kNoShard);
  for (auto& reader : readers_) reader->unsubscribe();
}

ModelSubscriber& HubWorld::add_reader(const std::string& channel) {
  const Aspect aspect = channel == kPresenceChannel ? Aspect::kPresence : Aspect::kMessages;
  return *readers_.emplace_back(std::make_unique<ModelSubscriber>(
      *this, "reader " + std::to_string(readers_.size()), hub::ChannelKey{channel, aspect}));
}

const std::string& HubWorld::any_channel() { return channels_[random_.below(channels_.size())]; }

void HubWorld::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

const std::string* HubWorld::published(const hub::ChannelKey& channel, const hub::Epoch& epoch,
                                       uint64_t offset) {
  return broker(channel.name).published(channel.name, epoch, offset);
}

bool HubWorld::must_recover(const hub::ChannelKey& channel, uint64_t offset) {
  if (!never_reset(channel)) return false;
  const auto& stream = broker(channel.name).stream(channel.name);
  return rules_.find(channel.name)->has_history() && stream.base <= offset;
}

bool HubWorld::never_reset(const hub::ChannelKey& channel) {
  // A presence stream begins anew when it was empty and unwatched.
  if (channel.aspect == Aspect::kPresence) return false;
  return broker(channel.name).stream(channel.name).resets == 0;
}

// --- the scheduler --------------------------------------------------------------------------

void HubWorld::step() {
  const uint64_t dice = random_.below(100);
  if (dice < 30) {
    // Mostly a moment passes, sometimes long enough for sweeps, lingering and top notes.
    const Duration passed = random_.one_in(40) ? Duration(milliseconds(1000 + random_.below(6000)))
                                               : Duration(milliseconds(random_.below(5)));
    turn(any_shard(), passed);
  } else if (dice < 65) {
    const ShardId from = any_shard(), to = any_shard();
    for (uint64_t n = 1 + random_.below(4); n > 0 && deliver(from, to); --n) {
    }
  } else {
    act();
  }
}

void HubWorld::turn(ShardId shard, Duration passed) {
  now_.mono += passed;
  now_.wall += std::chrono::duration_cast<milliseconds>(passed).count();
  affinity::set_current(shard);
  nodes_[shard]->pace = nodes_[shard]->hub->turn(now_);
  affinity::set_current(kNoShard);
}

bool HubWorld::deliver(ShardId from, ShardId to) {
  if (rings_.ring(from, to).messages.empty()) return false;
  affinity::set_current(to);
  nodes_[to]->hub->receive(from, rings_.take(from, to));
  affinity::set_current(kNoShard);
  return true;
}

void HubWorld::act() {
  const uint64_t dice = random_.below(100);
  if (dice < 35) {
    const ShardId from = any_shard();
    const std::string channel = any_channel();
    publish(from, channel, random_.one_in(3) ? "key" + std::to_string(random_.below(200)) : "");
  } else if (dice < 85) {
    act_reader(*readers_[random_.below(readers_.size())]);
  } else if (dice < 93) {
    act_presence();
  } else if (dice < 95) {
    act_withdrawal();
  } else if (dice < 98 || !options_.faults) {
    act_request();
  } else {
    fault(any_channel());
  }
}

void HubWorld::act_reader(ModelSubscriber& reader) {
  if (reader.phase() == ModelSubscriber::Phase::kIdle) {
    constexpr Start::Kind kKinds[] = {Start::Kind::kLive, Start::Kind::kRecover,
                                      Start::Kind::kResume, Start::Kind::kNewest};
    hub::Hub& at = hub(any_shard());
    const Start::Kind kind = kKinds[random_.below(4)];
    return reader.subscribe(at, kind, random_.one_in(3) ? 10 : 1'000'000);
  }
  if (random_.one_in(12)) return reader.unsubscribe();
  const size_t pulls = 1 + random_.below(4);
  if (reader.dirty()) reader.flush(pulls, 1 + random_.below(8));
}

void HubWorld::act_presence() {
  const uint64_t member = random_.below(kMembers);
  const std::string client = "c" + std::to_string(member);
  const bool leaves = random_.one_in(2);
  const Change change = leaves              ? Change::kLeave
                        : random_.one_in(3) ? Change::kUpdate
                                            : Change::kEnter;
  hub::ClientInfo info{.user = "u" + std::to_string(member % 3),
                       .client = client,
                       .channel_info = std::to_string(random_.below(3))};
  // A session does not move: its changes come from one shard.
  hub(static_cast<ShardId>(member % options_.shards))
      .change_presence(std::string(kPresenceChannel), change, std::move(info));
  members_[client] = !leaves;
}

void HubWorld::act_request() {
  Node& node = *nodes_[any_shard()];
  const std::string& channel = any_channel();
  const hub::StepId step = open_step(node, {});
  switch (random_.below(options_.faults ? 6 : 5)) {
    case 0:
      return node.hub->history(node.self, step, channel, {.limit = 10, .reverse = true});
    case 1:
      return node.hub->presence_counts(node.self, step, std::string(kPresenceChannel));
    case 2:
      return node.hub->channels(node.self, step, "h*");
    case 3:
      return node.hub->presence(node.self, step, channel);  // not available
    case 4:
      return node.hub->history(node.self, step, "unknown", {});
    default:
      return node.hub->remove_history(node.self, step, channel);
  }
}

hub::StepId HubWorld::open_step(Node& node, Asked asked) {
  const hub::StepId step = next_step_++;
  node.open[step] = std::move(asked);
  return step;
}

// One publish, or all to a channel. What is asked for until the turn ends would go with them.
void HubWorld::act_withdrawal() {
  const ShardId at = any_shard();
  Node& node = *nodes_[at];
  hub::Withdrawal lost{.who = node.self};
  if (random_.one_in(4)) {
    lost.channel = any_channel();
  } else if (!node.open.empty()) {
    lost.step =
        std::next(node.open.begin(), static_cast<ptrdiff_t>(random_.below(node.open.size())))
            ->first;
  } else {
    return;
  }
  for (auto& [step, asked] : node.open)
    if (lost.step ? step == *lost.step : asked.channel == lost.channel) asked.withdrawn = true;
  node.hub->withdraw(lost);
  turn(at, Duration(0));
}

void HubWorld::publish(ShardId from, const std::string& channel, const std::string& key) {
  Node& node = *nodes_[from];
  const std::string data = key.empty() ? "m" + std::to_string(++published_) : key;
  hub::PublishRecord record{.channel = {channel}, .principal = "p"};
  record.publication = std::make_unique<hub::Publication>();
  record.publication->data = data;
  if (!key.empty()) record.idempotency_key = key;
  const std::string scope = key.empty() ? "" : channel + "/" + key;
  const hub::StepId step = open_step(node, {.key = scope, .channel = channel, .data = data});
  node.hub->publish(node.self, step, std::move(record));
}

void HubWorld::Node::on_answer(hub::StepId step, hub::Answer answer) {
  const auto found = open.find(step);
  if (found == open.end()) return world.fail("step answered twice or never asked");
  const Asked asked = std::move(found->second);
  open.erase(found);
  world.trace_.note(step);
  if (!answer) {
    if (answer.error() == hub::HubError::kOverloaded) ++world.overloaded_;
    if (answer.error() != hub::HubError::kRevoked) return;
    if (!asked.withdrawn) world.fail("refused though nobody withdrew it");
    if (asked.key.empty()) world.taken_back_.insert(asked.data);
    return;
  }
  if (const auto* snapshot = std::get_if<hub::PresenceSnapshot>(&*answer))
    world.snapshot_ = *snapshot;
  if (const auto* published = std::get_if<hub::Published>(&*answer)) {
    world.trace_.note(published->position.offset);
    if (!asked.key.empty()) world.check_duplicate(asked.key, *published);
  }
}

void HubWorld::check_duplicate(const std::string& key, const hub::Published& published) {
  const std::string channel = key.substr(0, key.find('/'));
  if (broker(channel).stream(channel).resets > 0) return;
  const auto [first, made] = keys_.try_emplace(key, FirstPublish{.position = published.position});
  if (!made && first->second.position != published.position)
    fail("key " + key + " was applied twice");
}

void HubWorld::fault(const std::string& channel) {
  auto& target = broker(channel);
  constexpr hub::BrokerError kErrors[] = {hub::BrokerError::kUnavailable,
                                          hub::BrokerError::kOverloaded};
  const hub::BrokerError error = kErrors[random_.below(2)];
  const uint64_t top = target.stream(channel).top;
  switch (random_.below(7)) {
    case 0:
      return target.break_feed(channel);
    case 1:
      return target.new_epoch(channel);
    case 2:
      return target.roll_back(channel, top - std::min(top, random_.below(6)));
    case 3:
      return target.fail_read.push_back(error);
    case 4:
      return target.fail_attach.push_back(error);
    case 5:
      return target.fail_publish.push_back(error);
    default:
      target.break_feed(channel);
      target.roll_back(channel, top - std::min(top, random_.below(6)));
  }
}

// --- the end --------------------------------------------------------------------------------

bool HubWorld::busy() const {
  if (!rings_.empty()) return true;
  for (const auto& node : nodes_)
    if (node->pace != hub::Pace::kIdle) return true;
  for (const auto& reader : readers_)
    if (reader->dirty()) return true;
  return false;
}

void HubWorld::settle(Duration time) {
  rings_.closed = false;
  const Time end = now_.mono + time;
  while (now_.mono < end) {
    int rounds = 0;
    do {
      for (ShardId from = 0; from < options_.shards; ++from)
        for (ShardId to = 0; to < options_.shards; ++to)
          while (deliver(from, to)) {
          }
      for (ShardId shard = 0; shard < options_.shards; ++shard) turn(shard, milliseconds(1));
      for (auto& reader : readers_)
        if (reader->dirty()) reader->flush(100, 100);
      if (++rounds > 3000) return fail("never comes to rest");
    } while (busy());
    turn(0, milliseconds(500));
  }
}

void HubWorld::check_settled() {
  for (const auto& node : nodes_)
    if (!node->open.empty())
      fail("step " + std::to_string(node->open.begin()->first) + " was never answered");
  for (const auto& node : nodes_)
    for (const std::string& data : node->broker.all_data())
      if (taken_back_.contains(data)) fail("published though it was refused: " + data);
  for (const auto& reader : readers_) {
    if (reader->phase() == ModelSubscriber::Phase::kAsked) fail("a subscribe was never answered");
    if (reader->phase() != ModelSubscriber::Phase::kLive) continue;
    if (reader->channel().aspect == Aspect::kPresence) continue;
    const uint64_t top = broker(reader->channel().name).stream(reader->channel().name).top;
    if (reader->position() != top)
      fail("a reader of " + reader->channel().name + " rests at " +
           std::to_string(reader->position()) + " below the top " + std::to_string(top));
  }
  check_presence();
}

void HubWorld::check_presence() {
  Node& node = *nodes_[0];
  snapshot_.reset();
  node.hub->presence(node.self, open_step(node, {}), std::string(kPresenceChannel));
  settle(seconds(1));
  if (!snapshot_) return fail("no presence snapshot");
  std::set<std::string> told, expected;
  for (const auto& member : snapshot_->members()) told.insert(member.client);
  for (const auto& [client, present] : members_)
    if (present) expected.insert(client);
  if (told != expected) fail("presence is not what it should be");
  for (const auto& reader : readers_)
    if (reader->channel().aspect == Aspect::kPresence &&
        reader->phase() == ModelSubscriber::Phase::kLive &&
        reader->position() != snapshot_->position.offset)
      fail("a presence reader rests below the top");
}

void HubWorld::check_empty() {
  for (auto& reader : readers_) reader->unsubscribe();
  settle(seconds(12));
  for (const auto& node : nodes_) {
    if (node->hub->channels_followed() != 0) fail("a channel is still followed");
    if (node->hub->channels_homed() != 0) fail("a channel is still at home");
    if (node->broker.attachments() != 0) fail("a channel is still attached");
  }
  if (!rings_.all_credits_back()) fail("a credit is lost");
  if (!rings_.empty()) fail("a message is left");
}

}  // namespace parley::sim
