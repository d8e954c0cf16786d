#include "adapter/centrifuge/meters.h"

#include "base/check.h"
#include "base/metrics.h"
#include "codec/centrifuge/codes.h"

namespace parley::adapter::centrifuge::meters {
namespace {

using codec::centrifuge::ErrorCode;
using codec::centrifuge::kErrors;

constexpr auto kFirst = static_cast<uint32_t>(ErrorCode::kInternal);
constexpr std::string_view kCodes[] = {"100", "101", "102", "103", "104", "105", "106",
                                       "107", "108", "109", "110", "111", "112", "113"};
static_assert(std::size(kCodes) == kErrors.size());
static_assert(static_cast<uint32_t>(kErrors.back().code) == kFirst + kErrors.size() - 1);
metrics::CounterFamily refused("parley_centrifuge_commands_refused_total",
                               "Commands that were answered with an error, by its code", "code",
                               kCodes);

constexpr std::string_view kResults[] = {"not_recovered", "recovered"};
metrics::CounterFamily recoveries("parley_centrifuge_recoveries_total",
                                  "Subscribes that asked for what they had missed", "result",
                                  kResults);

}  // namespace

void count_refusal(uint32_t code) {
  CHECK(code >= kFirst && code - kFirst < std::size(kCodes));
  refused.add(code - kFirst);
}

void count_recovery(bool recovered) { recoveries.add(recovered ? 1 : 0); }

}  // namespace parley::adapter::centrifuge::meters
