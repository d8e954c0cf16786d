// How capabilities are read from JSON, before anybody believes them.
#pragma once

#include <vector>

#include "auth/capabilities.h"
#include "codec/json/reader.h"

namespace parley::auth {

// A claim `caps`. The reader fails where it is not of the right form or beyond a limit: to skip a
// rule would change what the rules behind it say.
void read_capabilities(codec::json::Reader& reader, const CapabilityLimits& limits,
                       std::vector<CapabilityRule>& out);

// A claim `allow`; the reader fails at a capability that there is not.
void read_allowed(codec::json::Reader& reader, CapabilitySet& out);

}  // namespace parley::auth
