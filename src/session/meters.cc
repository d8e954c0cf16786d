#include "session/meters.h"

namespace parley::session::meters {
namespace {
constexpr std::string_view kLimits[] = {"outbox_bytes", "write_stall", "subscriptions", "memory",
                                        "bad_tokens"};
}  // namespace

metrics::CounterFamily limits("parley_session_limits_total",
                              "Sessions ended because they crossed a limit of every protocol",
                              "limit", kLimits);

}  // namespace parley::session::meters
