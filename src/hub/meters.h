// What several files of the hub count; see base/metrics.h.
#pragma once

#include "hub/requester.h"

namespace parley::hub::meters {

// A request or a subscribe that is answered with an error.
void count_refusal(HubError error);

}  // namespace parley::hub::meters
