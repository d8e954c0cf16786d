#include "transport/sse/meters.h"

#include <algorithm>
#include <array>

namespace parley::transport::sse::meters {
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

metrics::CounterFamily refused("parley_sse_refused_total",
                               "Requests for a stream of server-sent events that were refused",
                               "reason", reasons());

}  // namespace

void count_foreign_origin() { refused.add(kEndReasons); }

void count_refusal(EndReason reason, int status) {
  // Who shows no credentials is unauthorized, whatever that ended as; with them, it is forbidden.
  refused.add(static_cast<size_t>(status == 403 ? EndReason::kForbidden : reason));
}

metrics::Gauge connections("parley_sse_connections", "Open streams of server-sent events");
metrics::Counter talkers_closed(
    "parley_sse_talkers_closed_total",
    "Streams closed because the client kept sending where nothing is read");

}  // namespace parley::transport::sse::meters
