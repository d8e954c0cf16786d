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
  // History: answered only if the stream's is this one. Null: whatever it is.
  std::unique_ptr<const std::optional<hub::Epoch>> epoch;
};

// What: pending requests by step. Owner: an adapter. Holds no memory of its own while no more than
// one is pending.
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
  PendingRequest first_;            // step 0
  std::unique_ptr<Places> others_;  // from step 1 on; null: none is pending
};

}  // namespace parley::adapter::centrifuge
