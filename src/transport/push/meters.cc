#include "transport/push/meters.h"

#include <algorithm>
#include <array>

namespace parley::transport::push::meters {
namespace {

using session::EndReason;
using session::kEndReasons;

// EndReason's names, then what has no EndReason of its own.
constexpr std::string_view kMore[] = {"origin"};
std::array<std::string_view, kEndReasons + std::size(kMore)> reasons() {
  std::array<std::string_view, kEndReasons + std::size(kMore)> all;
  for (size_t i = 0; i < kEndReasons; ++i) all[i] = session::to_string(static_cast<EndReason>(i));
  std::ranges::copy(kMore, all.begin() + kEndReasons);
  return all;
}

metrics::CounterFamily refused("parley_push_refused_total",
                               "Requests for a stream over HTTP that were refused", "reason",
                               reasons());

}  // namespace

void count_foreign_origin() { refused.add(kEndReasons); }

void count_refusal(EndReason reason, int status) {
  // Who shows no credentials is unauthorized, whatever that ended as; with them, it is forbidden.
  refused.add(static_cast<size_t>(status == 403 ? EndReason::kForbidden : reason));
}

metrics::Gauge connections("parley_push_connections", "Open streams over HTTP");
metrics::Counter talkers_closed(
    "parley_push_talkers_closed_total",
    "Streams closed because the client kept sending where nothing is read");

metrics::Counter overrun_uplinks(
    "parley_push_uplinks_overrun_total",
    "Sessions ended because more of their client's requests waited than may");

namespace {
constexpr std::string_view kBadUplinks[] = {"origin", "malformed"};
}  // namespace
metrics::CounterFamily uplinks_refused(
    "parley_push_uplinks_refused_total",
    "Requests with a message for a session that were refused before it was looked for", "reason",
    kBadUplinks);

}  // namespace parley::transport::push::meters
