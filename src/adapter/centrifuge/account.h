// Who a client is, and how it becomes that.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapter/centrifuge/wish.h"
#include "auth/access.h"
#include "auth/authenticator.h"
#include "base/bytes.h"
#include "base/token_bucket.h"
#include "hub/subscription.h"
#include "session/adapter.h"

namespace parley::adapter::centrifuge {

// What is known of a client that is not merely anybody.
struct Account {
  auth::Principal who;
  int64_t expires_at = 0;                   // seconds since 1970; 0: never
  std::vector<std::string> token_channels;  // that the token subscribes it to; sorted
};

// What the client says that it is.
struct App {
  std::string name;
  std::string version;
};

// How often a connection may ask.
struct Allowance {
  TokenBucket commands;
  TokenBucket publishes;
  TokenBucket refusals;
};

std::vector<std::string> channels_of(const std::vector<auth::Grant>& grants);

// Frames that wait until the client is connected: connect is a barrier.
struct HeldFrames {
  struct Frame {
    Buffer bytes;
    uint32_t done;  // commands at its beginning that were carried out
  };
  std::vector<Frame> frames;
  size_t bytes = 0;
};

// A connect that is not answered yet. The client has subscriptions only by the server now.
struct Connecting {
  uint32_t command = 0;
  std::vector<std::pair<std::string, Wish>> wishes;  // by channel
  HeldFrames held;
  std::vector<std::pair<session::SubscriptionHandle, hub::Subscribed>> subscribed;
};

}  // namespace parley::adapter::centrifuge
