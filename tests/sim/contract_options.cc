#include "tests/sim/contract_options.h"

namespace parley::sim {
namespace {

// The usual bounds, or, one time in four, some that are hardly bearable.
void choose_bounds(Random& random, ContractOptions& options) {
  const auto tight = [&random] { return random.one_in(4); };
  if (tight()) options.ring_capacity = 1 + random.below(4);
  if (tight()) options.credits = 1 + random.below(3);
  hub::HubOptions& hub = options.shard.hub;
  if (tight()) hub.turn_items = 1 + random.below(3);
  if (tight()) hub.parked_requests = 1 + random.below(4);
  if (tight()) hub.tail_bytes = 500 + random.below(4000);
  if (tight()) hub.controlled_sessions = 1;
  session::SessionLimits& session = options.shard.session;
  if (tight()) session.outbox_bytes = 600 + random.below(4000);
  if (tight()) session.pending_commands = 1 + static_cast<uint32_t>(random.below(4));
  if (tight()) session.write_stall = seconds(2 + random.below(6));
  if (tight()) options.shard.flushed_lines = 1 + random.below(2);
  if (tight()) options.shard.mail = 1;
  if (tight()) options.tail_bytes = 1 + random.below(3000);
  if (tight()) options.memory_bytes = 3000 + random.below(20'000);
  if (tight()) options.line.socket_bytes = 16 + random.below(2000);
  // Who does not read is to be behind soon.
  if (random.one_in(2)) options.line.socket_bytes = 100 + random.below(8000);
  if (tight()) options.centrifuge.recovery_limit = 1 + static_cast<uint32_t>(random.below(10));
  options.small_history = 1 + static_cast<uint32_t>(random.below(5));
  if (tight()) options.large_history = 10 + static_cast<uint32_t>(random.below(40));
  options.lag_bytes = 1 + random.below(6000);
  if (random.one_in(3)) options.lag_delay = seconds(1 + random.below(3));
  if (random.one_in(3)) options.lag_history = 1 + static_cast<uint32_t>(random.below(30));
  if (tight()) options.publish_wait = milliseconds(10 + random.below(100));
  constexpr Duration kRingDelays[] = {std::chrono::microseconds(20), milliseconds(1),
                                      milliseconds(40), milliseconds(800)};
  options.shard.ring_delay = kRingDelays[random.below(4)];
  constexpr Duration kLineDelays[] = {milliseconds(1), milliseconds(30), milliseconds(400)};
  options.line.delay_to = kLineDelays[random.below(3)];
}

void choose_faults(Random& random, ContractOptions& options) {
  const auto rate = [&random](uint64_t from, uint64_t to) {
    return random.one_in(2) ? Duration(0) : Duration(seconds(from + random.below(to - from)));
  };
  FaultRates& faults = options.faults;
  faults.cut = rate(1, 8);
  faults.silence = rate(6, 30);
  faults.stall = rate(3, 15);
  faults.rings_closed = rate(4, 20);
  faults.crash = rate(15, 60);
  faults.shutdown = rate(20, 60);
  faults.clock = rate(5, 30);
  faults.broker = rate(2, 12);
  faults.control = rate(4, 20);
  faults.mute = rate(15, 40);
  faults.lapse = rate(10, 40);
  faults.pressure = rate(5, 20);
  if (random.one_in(3)) options.late_tokens = 30;
  if (random.one_in(5)) options.lost_tokens = 10;
  if (random.one_in(2)) options.remote.lost_feed = 20;
  if (random.one_in(2)) options.remote.doubled_feed = 50;
  constexpr Duration kRemoteDelays[] = {milliseconds(2), milliseconds(50), milliseconds(700)};
  options.remote.delay = kRemoteDelays[random.below(3)];
  constexpr Duration kSyncs[] = {milliseconds(2), milliseconds(80), seconds(3)};
  options.sync_every = kSyncs[random.below(3)];
}

}  // namespace

ContractOptions contract_of_seed(uint64_t seed) {
  Random random(seed * 0x2545f4914f6cdd1dull + 99);
  for (int i = 0; i < 4; ++i) random.below(2);
  ContractOptions options{.seed = seed};
  options.shards = static_cast<ShardId>(1 + random.below(4));
  constexpr BrokerKind kKinds[] = {BrokerKind::kMemory, BrokerKind::kMemory, BrokerKind::kRemote,
                                   BrokerKind::kDurable};
  options.broker = kKinds[random.below(4)];
  options.sparse = options.broker == BrokerKind::kRemote && random.one_in(4);
  choose_bounds(random, options);
  // One in eight has nothing but its bounds.
  if (!random.one_in(8)) choose_faults(random, options);
  options.centrifuge_clients = options.sparse ? 0 : 2 + random.below(6);
  options.eventsource_clients = 1 + random.below(4);
  options.single_connection = random.one_in(6);
  options.think = milliseconds(300 + random.below(4000));
  options.api_think = milliseconds(100 + random.below(2000));
  return options;
}

}  // namespace parley::sim
