#include "hub/meters.h"

#include "base/metrics.h"

namespace parley::hub::meters {
namespace {

// In the order of HubError.
constexpr std::string_view kErrors[] = {
    "unknown_channel", "not_available", "unsupported_kind", "invalid_data", "idempotency_conflict",
    "overloaded",      "rate_limited",  "revoked",          "unavailable"};
static_assert(std::size(kErrors) == static_cast<size_t>(HubError::kUnavailable) + 1);
metrics::CounterFamily refused("parley_hub_refused_total",
                               "Requests and subscribes that the hub answered with an error",
                               "reason", kErrors);

}  // namespace

void count_refusal(HubError error) { refused.add(error); }

}  // namespace parley::hub::meters
