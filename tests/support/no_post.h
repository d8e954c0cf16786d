// For worlds of one shard.
#pragma once

#include "hub/post.h"

namespace parley::testing {

// The post of a shard that has no others.
class NoPost final : public hub::Post {
  bool take_credit(ShardId) override { return false; }
  void send_request(ShardId, hub::HubMessage) override {}
  void send_reply(ShardId, hub::HubMessage) override {}
  bool try_send(ShardId, hub::HubMessage&) override { return false; }
};

}  // namespace parley::testing
