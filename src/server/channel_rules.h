// Which options a channel has, where no configuration file says so.
#pragma once

#include <memory>

#include "hub/channel_options.h"

namespace parley::server {

// One set of options for every channel.
class UniformRules final : public hub::ChannelRules {
 public:
  explicit UniformRules(const hub::ChannelOptions& options)
      : options_(std::make_shared<const hub::ChannelOptions>(options)) {}
  std::shared_ptr<const hub::ChannelOptions> find(std::string_view) const override {
    return options_;
  }

 private:
  std::shared_ptr<const hub::ChannelOptions> options_;
};

// `parley dev`: presence, join/leave, a history of 1,000 for 10 minutes, positions, recovery,
// delta, filters and compaction everywhere.
hub::ChannelOptions dev_channel_options();

}  // namespace parley::server
