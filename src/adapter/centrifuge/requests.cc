#include "adapter/centrifuge/requests.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace parley::adapter::centrifuge {

hub::StepId PendingRequests::add(PendingRequest request) {
  if (first_.command == 0) {
    first_ = std::move(request);
    return 0;
  }
  if (!others_) others_ = std::make_unique<Places>();
  auto& [all, used, taken] = *others_;
  if (used++ == all.size()) {
    all.push_back(std::move(request));
    taken = used;
    return used;
  }
  while (all[taken].command != 0) ++taken;
  all[taken] = std::move(request);
  return ++taken;
}

PendingRequest PendingRequests::take(hub::StepId step) {
  if (step == 0) {
    CHECK(first_.command != 0);
    return std::exchange(first_, {});
  }
  CHECK(others_);
  auto& [all, used, taken] = *others_;
  const uint32_t place = step - 1;
  CHECK(place < all.size() && all[place].command != 0);
  PendingRequest request = std::exchange(all[place], {});
  taken = std::min(taken, place);
  if (--used == 0) others_.reset();
  return request;
}

}  // namespace parley::adapter::centrifuge
