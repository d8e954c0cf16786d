// What several files of the session count; see base/metrics.h.
#pragma once

#include "base/metrics.h"

namespace parley::session::meters {

// Which of a session's limits ended it.
enum class Limit : uint8_t { kOutboxBytes, kWriteStall, kSubscriptions, kMemory, kBadTokens };
extern metrics::CounterFamily limits;

}  // namespace parley::session::meters
