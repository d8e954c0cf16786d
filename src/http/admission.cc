#include "http/admission.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/hash.h"
#include "base/metrics.h"
#include "http/server.h"

namespace parley::http {
namespace {

struct Words {
  int status;
  std::string_view text;
};
// In the order of Reason.
constexpr std::array kWords = {
    Words{503, "too many connections, try again later"},
    Words{503, "too many new connections, try again later"},
    Words{429, "too many new connections from this address, try again later"},
    Words{503, "the server is overloaded, try again later"},
    Words{503, "the server stops, try again later"},
};
constexpr std::string_view kReasons[] = {"connections", "rate", "address", "overload", "shutdown"};
static_assert(std::size(kReasons) == kWords.size());
metrics::CounterFamily refused("parley_admission_refused_total",
                               "Clients that were told to come again later, by reason", "reason",
                               kReasons);

// Who is refused comes again within twice this, each at another moment.
constexpr int64_t kLeastSeconds = 2;
constexpr int64_t kMostSeconds = 60;

uint64_t key_of(const io::PeerAddress& peer) {
  return siphash13(process_hash_key(), peer.network());
}

}  // namespace

std::optional<Admission::Refusal> Admission::refuse(const io::PeerAddress& peer, Time now) {
  if (closed_) return refusal(*closed_, Duration::zero());
  if (options_.connections > 0 && options_.count() >= options_.connections)
    return refusal(Reason::kConnections, Duration::zero());
  // Who is refused by one takes nothing from the other.
  const bool by_address = options_.per_address.limited();
  const uint64_t key = by_address ? key_of(peer) : 0;
  if (by_address) {
    const Duration wait = addresses_.wait(key, options_.per_address, now);
    if (wait > Duration::zero()) return refusal(Reason::kAddress, wait);
  }
  if (options_.opened.limited() && !opened_.take(options_.opened, now))
    return refusal(Reason::kRate, opened_.wait(options_.opened, now));
  if (by_address) addresses_.take(key, options_.per_address, now);
  return std::nullopt;
}

Admission::Refusal Admission::refusal(Reason reason, Duration wait) {
  refused.add(reason);
  const int64_t least =
      std::clamp(std::chrono::ceil<seconds>(wait).count(), kLeastSeconds, kMostSeconds);
  const auto spread = static_cast<int64_t>(ids_.next_u64() % static_cast<uint64_t>(least + 1));
  const Words& words = kWords[static_cast<size_t>(reason)];
  return {reason, words.status, seconds(least + spread), words.text};
}

void say_unavailable(Exchange& exchange, const Admission::Refusal& refusal) {
  const std::string after = std::to_string(refusal.retry_after.count());
  const HeaderView headers[] = {{"Retry-After", after}};
  exchange.respond_text(refusal.status, refusal.text, headers);
}

void GuardedHandler::handle(Exchange& exchange) {
  const Request& request = exchange.request();
  if (request.method == "HEAD" || request.method == "OPTIONS" ||
      !origins_.allows(request.header("Origin"), request.header("Host")))
    return inner_.handle(exchange);
  const auto refusal = admission_.refuse(exchange.peer(), exchange.server().now().mono);
  if (refusal) return words_(exchange, *refusal);
  inner_.handle(exchange);
}

}  // namespace parley::http
