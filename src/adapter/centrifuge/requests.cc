#include "adapter/centrifuge/requests.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace parley::adapter::centrifuge {

hub::StepId PendingRequests::add(PendingRequest request) {
  ++used_;
  // Answers come about in the order of requests, so a free place is near the front or there is
  // none.
  auto place = places_.begin();
  if (used_ > places_.size()) {
    place = places_.insert(places_.end(), PendingRequest{});
  } else {
    place = std::ranges::find(places_, 0u, &PendingRequest::command);
  }
  *place = request;
  return static_cast<hub::StepId>(place - places_.begin());
}

PendingRequest PendingRequests::take(hub::StepId step) {
  CHECK(step < places_.size() && places_[step].command != 0);
  const PendingRequest request = std::exchange(places_[step], {});
  if (--used_ == 0) std::vector<PendingRequest>().swap(places_);
  return request;
}

}  // namespace parley::adapter::centrifuge
