#include "io/node_quotas.h"

#include <algorithm>
#include <array>

#include "base/metrics.h"

namespace parley::io {
namespace {

enum class Over : uint8_t { kAddressCommands, kUserCommands, kAddressPublishes, kUserPublishes };
constexpr std::string_view kOver[] = {"address_commands", "user_commands", "address_publishes",
                                      "user_publishes"};
metrics::CounterFamily limited("parley_rate_limited_total",
                               "Commands and publishes above a rate of the node, by the rate",
                               "rate", kOver);
metrics::Counter user_full("parley_user_connections_refused_total",
                           "Connections of users who had all that they may have");

// One that must have a token; null: it is not asked.
struct Asked {
  SharedBuckets* buckets;
  uint64_t key;
};

constexpr size_t kAlone = 8;   // places of a table with one key
constexpr uint64_t kNode = 1;  // that key

}  // namespace

NodeQuotas::NodeQuotas(const QuotaOptions& options)
    : options_(options),
      opened_(options.opened, kAlone),
      address_opened_(options.address_opened, options.remembered),
      commands_(options.address_commands, options.user_commands, options.remembered),
      publishes_(options.address_publishes, options.user_publishes, options.remembered) {}

bool NodeQuotas::limits_rates() const {
  return commands_.by_address.limited() || commands_.by_user.limited() ||
         publishes_.by_address.limited() || publishes_.by_user.limited();
}

bool NodeQuotas::take_connection() {
  uint32_t now = connections_.load(std::memory_order_relaxed);
  do {
    if (options_.connections > 0 && now >= options_.connections) return false;
  } while (!connections_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

std::variant<Seat, NodeQuotas::Refused> NodeQuotas::admit(uint64_t address, Time now) {
  Seat seat;
  if (seats()) {
    if (!take_connection()) return Refused{Full::kNode, {}};
    const uint32_t most = options_.address_connections;
    if (most > 0 && !address_connections_.take(address, most)) {
      connections_.fetch_sub(1, std::memory_order_relaxed);
      return Refused{Full::kAddress, {}};
    }
    seat = Seat(*this, address);
  }
  if (const auto refused = take_rates(address, now)) return *refused;
  return seat;
}

std::optional<NodeQuotas::Refused> NodeQuotas::take_rates(uint64_t address, Time now) {
  if (address_opened_.limited()) {
    const Duration wait = address_opened_.wait(address, now);
    if (wait > Duration::zero()) return Refused{Full::kAddressRate, wait};
  }
  if (opened_.limited() && !opened_.take(kNode, now))
    return Refused{Full::kNodeRate, opened_.wait(kNode, now)};
  // Who loses its address's last token here, to another shard, has taken one of the node's in vain.
  if (address_opened_.limited() && !address_opened_.take(address, now))
    return Refused{Full::kAddressRate, address_opened_.wait(address, now)};
  return std::nullopt;
}

void NodeQuotas::leave_seat(uint64_t address) {
  connections_.fetch_sub(1, std::memory_order_relaxed);
  if (options_.address_connections > 0) address_connections_.give_back(address);
}

bool NodeQuotas::may(Operation operation, PeerKeys who, Time now) {
  const bool publish = operation == Operation::kPublish;
  // In the order of Over.
  const std::array asked = {Asked{&commands_.by_address, who.address},
                            Asked{&commands_.by_user, who.user},
                            Asked{publish ? &publishes_.by_address : nullptr, who.address},
                            Asked{publish ? &publishes_.by_user : nullptr, who.user}};
  const auto counts = [](const Asked& one) {
    return one.buckets != nullptr && one.key != 0 && one.buckets->limited();
  };
  const auto refuses = [&](auto&& lacks) {
    const auto* over = std::ranges::find_if(
        asked, [&](const Asked& one) { return counts(one) && lacks(*one.buckets, one.key); });
    if (over == asked.end()) return false;
    limited.add(static_cast<size_t>(over - asked.begin()));
    return true;
  };
  if (refuses([&](const SharedBuckets& buckets, uint64_t key) {
        return buckets.wait(key, now) > Duration::zero();
      }))
    return false;
  // Who loses the last token of one rate here, to another shard, has taken those of the rates
  // before it in vain.
  return !refuses([&](SharedBuckets& buckets, uint64_t key) { return !buckets.take(key, now); });
}

bool NodeQuotas::enter_user(uint64_t user, bool always) {
  if (options_.user_connections == 0) return true;
  if (user_connections_.take(user, always ? UINT32_MAX : options_.user_connections)) return true;
  user_full.add();
  return false;
}

void NodeQuotas::leave_user(uint64_t user) {
  if (options_.user_connections > 0) user_connections_.give_back(user);
}

}  // namespace parley::io
