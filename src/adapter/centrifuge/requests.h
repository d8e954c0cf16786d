// Requests to the hub that are not answered yet.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hub/requester.h"
#include "session/adapter.h"

namespace parley::adapter::centrifuge {

// What the answer needs.
struct PendingRequest {
  uint32_t command = 0;                       // the client's id; 0: a free place
  session::SubscriptionHandle publisher = 0;  // publish: the client's subscription of the channel
  bool epoch_given = false;                   // history: answered only if the stream's is this one
  std::optional<hub::Epoch> epoch;
};

// What: pending requests by step. Owner: an adapter. Holds no memory while nothing is pending.
class PendingRequests {
 public:
  hub::StepId add(PendingRequest request);
  PendingRequest take(hub::StepId step);

 private:
  std::vector<PendingRequest> places_;
  uint32_t used_ = 0;
};

}  // namespace parley::adapter::centrifuge
