// A channel as one client has it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/centrifuge/variants.h"
#include "adapter/centrifuge/wish.h"
#include "auth/capability_set.h"
#include "base/bytes.h"
#include "base/time.h"
#include "hub/requester.h"
#include "session/adapter.h"

namespace parley::adapter::centrifuge {

// What a token, or the server, said of one subscription.
struct Terms {
  Buffer info;                // JSON that others are shown with the client
  int64_t expires_at = 0;     // seconds since 1970; 0: never
  auth::CapabilitySet allow;  // what else the client may do in the channel
};

// A subscribe that is not done yet, and what was asked for.
struct Joining {
  uint32_t command = 0;                     // 0: the server asked for it
  uint32_t unsubscribe_command = 0;         // of an unsubscribe that waits for the answer; 0: none
  std::optional<hub::StepId> verification;  // while the token is being verified
  Time leave_by{};                          // ... until then, if one waits
  Wish wish;
  Filter filter;      // until the hub is asked
  Recovery recovery;  // from then on; so is the shape
  Shape shape;
  Buffer data;  // for the client, with the reply
  bool recoverable = false;
  bool join_leave = false;  // to be told joins and leaves
  bool revoked = false;     // the backend unsubscribes it: told right behind the answer
  hub::PresenceManner manner{false, false};  // how others see it
};

struct Channel {
  std::string name;
  session::SubscriptionHandle handle = 0;           // 0: the hub has not been asked yet
  session::SubscriptionHandle presence_handle = 0;  // for joins and leaves; 0: not told them
  std::unique_ptr<Joining> joining;                 // null: subscribed
  std::unique_ptr<Terms> terms;                     // null: for ever, and nothing to show
  bool positioned = false;
  bool server_side = false;    // the server's wish, not the client's
  bool by_caps = false;        // subscribed only thanks to a capability of the connection's token
  bool joins_by_caps = false;  // told of joins and leaves only thanks to one of either token

  bool leaving() const { return joining && joining->unsubscribe_command != 0; }
};
using Channels = std::vector<Channel>;

}  // namespace parley::adapter::centrifuge
