#include "io/shared_counts.h"

#include "base/check.h"

namespace parley::io {

bool SharedCounts::take(uint64_t key, uint32_t limit) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto [at, added] = stripe.counts.try_emplace(key, 0);
  if (at->second >= limit) {
    if (added) stripe.counts.erase(at);
    return false;
  }
  ++at->second;
  return true;
}

void SharedCounts::give_back(uint64_t key) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.counts.find(key);
  CHECK(at != stripe.counts.end());
  if (--at->second == 0) stripe.counts.erase(at);
}

size_t SharedCounts::size() const {
  size_t total = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    total += stripe.counts.size();
  }
  return total;
}

}  // namespace parley::io
