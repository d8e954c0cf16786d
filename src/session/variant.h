// What makes one subscription's stream differ from the others'. Why so:
// docs/adr/0012-stream-variants.md.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "hub/subscription.h"
#include "session/adapter.h"
#include "session/tags_filter.h"

namespace parley::session {

struct Variant {
  const Dialect* dialect = nullptr;          // null: the adapter's
  bool delta = false;                        // changes, where the client holds what they change
  std::unique_ptr<const TagsFilter> filter;  // null: everything

  // Publications differ in how they are given, and whether.
  bool chooses() const { return delta || filter != nullptr; }
  bool plain() const { return dialect == nullptr && !delta && filter == nullptr; }
};

// A subscription that is not plain: larger, so that the plain ones stay small. Owner: Session.
struct VariedSubscription final : hub::Subscription {
  VariedSubscription(hub::Subscriber& owner, SubscriptionHandle handle, Variant v)
      : hub::Subscription(owner, handle), variant(std::move(v)) {
    varied = true;
  }
  Variant variant;
  // Offset of the last publication that the client was given, whole or changed: the base that it
  // holds. 0: none.
  uint64_t last_sent = 0;
};

// Null: it is plain.
inline VariedSubscription* as_varied(hub::Subscription& subscription) {
  return subscription.varied ? static_cast<VariedSubscription*>(&subscription) : nullptr;
}

// What the client was given last is no base any more.
inline void forget_base(hub::Subscription& subscription) {
  if (VariedSubscription* varied = as_varied(subscription)) varied->last_sent = 0;
}

// Subscriptions have no virtual destructor, which would cost each a word.
struct SubscriptionDeleter {
  void operator()(hub::Subscription* subscription) const {
    if (subscription->varied) {
      delete static_cast<VariedSubscription*>(subscription);
    } else {
      delete subscription;
    }
  }
};
using SubscriptionPtr = std::unique_ptr<hub::Subscription, SubscriptionDeleter>;

}  // namespace parley::session
