// Requests to the hub, and tokens to verify, that are not answered yet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hub/requester.h"
#include "session/adapter.h"

namespace parley::adapter::centrifuge {

// What the answer needs.
struct PendingRequest {
  enum class Token : uint8_t { kNone, kConnect, kRefresh, kSubscribe, kSubRefresh };

  uint32_t command = 0;                          // the client's id; 0: a free place
  Token token = Token::kNone;                    // what a token is being verified for
  session::SubscriptionHandle subscription = 0;  // publish, sub_refresh: the client's own
  bool epoch_given = false;  // history: answered only if the stream's is this one
  std::optional<hub::Epoch> epoch;
};

// What: pending requests by step. Owner: an adapter. Holds no memory while nothing is pending.
class PendingRequests {
 public:
  hub::StepId add(PendingRequest request);
  PendingRequest take(hub::StepId step);

 private:
  struct Places {
    std::vector<PendingRequest> all;
    uint32_t used = 0;
    uint32_t taken = 0;  // none before this one is free
  };
  std::unique_ptr<Places> places_;  // null: nothing is pending
};

}  // namespace parley::adapter::centrifuge
