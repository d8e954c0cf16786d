#include "server/dev_channel_options.h"

namespace parley::server {

hub::ChannelOptions dev_channel_options() {
  hub::ChannelOptions options;
  options.history_size = 1000;
  options.history_ttl = seconds(600);
  options.presence = true;
  options.join_leave = true;
  options.positioned = true;
  options.recoverable = true;
  options.allow_delta = true;
  options.allow_tags_filter = true;
  options.compaction = true;
  return options;
}

}  // namespace parley::server
