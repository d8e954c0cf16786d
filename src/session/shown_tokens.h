// By which tokens a session is what it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "auth/authenticator.h"
#include "base/bytes.h"
#include "session/adapter.h"

namespace parley::session {

// What: the ids of the tokens that a session showed, for as long as it lives by them. Owner: its
// Session, only where a token has something to keep. Shard: the session's. Failure: none.
struct ShownTokens {
  struct OfSubscription {
    SubscriptionHandle handle = 0;
    std::string channel;
    auth::TokenId id;
  };

  auth::TokenId connection;
  Buffer meta;  // of the connection's token: JSON
  std::vector<OfSubscription> subscriptions;

  // In place of the token that the subscription lived by until now, if it did by one.
  void keep(SubscriptionHandle handle, std::string_view channel, const auth::TokenId& id) {
    drop(handle);
    subscriptions.push_back({handle, std::string(channel), id});
  }
  void drop(SubscriptionHandle handle) {
    std::erase_if(subscriptions, [handle](const auto& one) { return one.handle == handle; });
  }
};

// A token that the adapter is being told of: the subscription that it asks for next, to this
// channel, is by it, and so is the one that it renews.
struct VerifiedSubscription {
  std::string channel;
  auth::TokenId id;
};

}  // namespace parley::session
