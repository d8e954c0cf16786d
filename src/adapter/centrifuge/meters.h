// What the Centrifuge protocol counts; see base/metrics.h.
#pragma once

#include <cstdint>

namespace parley::adapter::centrifuge::meters {

// A command that was answered with this error of the protocol.
void count_refusal(uint32_t code);
// A subscribe that asked for what it had missed.
void count_recovery(bool recovered);

}  // namespace parley::adapter::centrifuge::meters
