#include "http/admission.h"

#include <algorithm>
#include <array>
#include <string>

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
    Words{429, "too many connections from this address, try again later"},
    Words{503, "the server is overloaded, try again later"},
    Words{503, "the server stops, try again later"},
};
constexpr std::string_view kReasons[] = {"connections",         "rate",     "address",
                                         "address_connections", "overload", "shutdown"};
static_assert(std::size(kReasons) == kWords.size());
metrics::CounterFamily refused("parley_admission_refused_total",
                               "Clients that were told to come again later, by reason", "reason",
                               kReasons);

// Who is refused comes again within twice this, each at another moment.
constexpr int64_t kLeastSeconds = 2;
constexpr int64_t kMostSeconds = 60;

Admission::Reason reason_of(io::NodeQuotas::Full why) {
  switch (why) {
    case io::NodeQuotas::Full::kNode:
      return Admission::Reason::kConnections;
    case io::NodeQuotas::Full::kAddress:
      return Admission::Reason::kAddressConnections;
    case io::NodeQuotas::Full::kAddressRate:
      return Admission::Reason::kAddress;
    case io::NodeQuotas::Full::kNodeRate:
      break;
  }
  return Admission::Reason::kRate;
}

}  // namespace

std::expected<Seat, Admission::Refusal> Admission::admit(const io::PeerAddress& client, Time now) {
  if (closed_) return std::unexpected(refusal(*closed_, Duration::zero()));
  auto outcome = quotas_.admit(client.network_key(), now);
  if (auto* seat = std::get_if<Seat>(&outcome)) return std::move(*seat);
  const auto& full = std::get<io::NodeQuotas::Refused>(outcome);
  return std::unexpected(refusal(reason_of(full.why), full.wait));
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

bool GuardedHandler::only_asks(const Request& request) const {
  return request.method == "HEAD" || request.method == "OPTIONS" ||
         (stays_ == Stays::kUpgrades && !request.upgrade) ||
         !origins_.allows(request.header("Origin"), request.header("Host"));
}

void GuardedHandler::handle(Exchange& exchange) {
  if (only_asks(exchange.request())) return inner_.handle(exchange);
  auto seat = admission_.admit(exchange.client(), exchange.server().now().mono);
  if (!seat) return words_(exchange, seat.error());
  exchange.keep(*std::move(seat));
  inner_.handle(exchange);
}

}  // namespace parley::http
