// Which options channels have in `parley dev`, where no configuration says so.
#pragma once

#include "hub/channel_options.h"

namespace parley::server {

// Presence, join/leave, a history of 1,000 for 10 minutes, positions, recovery, delta, filters and
// compaction everywhere.
hub::ChannelOptions dev_channel_options();

}  // namespace parley::server
