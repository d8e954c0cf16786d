#include "codec/centrifuge/command_limits.h"

#include <string_view>

#include "base/metrics.h"

namespace parley::codec::centrifuge {
namespace {

// In the order of FrameFault.
constexpr std::string_view kFaults[] = {"malformed", "too_many_commands", "too_many_items"};
metrics::CounterFamily refused("parley_centrifuge_frames_refused_total",
                               "Frames of Centrifuge clients that could not be taken", "reason",
                               kFaults);

}  // namespace

FrameEnd refuse_frame(FrameFault fault) {
  refused.add(fault);
  return FrameEnd::kBadRequest;
}

}  // namespace parley::codec::centrifuge
