#include "adapter/centrifuge/requests.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace parley::adapter::centrifuge {

hub::StepId PendingRequests::add(PendingRequest request) {
  if (!places_) places_ = std::make_unique<Places>();
  auto& [all, used, taken] = *places_;
  if (used++ == all.size()) {
    all.push_back(request);
    taken = used;
    return used - 1;
  }
  while (all[taken].command != 0) ++taken;
  all[taken] = request;
  return taken++;
}

PendingRequest PendingRequests::take(hub::StepId step) {
  CHECK(places_);
  auto& [all, used, taken] = *places_;
  CHECK(step < all.size() && all[step].command != 0);
  const PendingRequest request = std::exchange(all[step], {});
  taken = std::min(taken, step);
  if (--used == 0) places_.reset();
  return request;
}

}  // namespace parley::adapter::centrifuge
