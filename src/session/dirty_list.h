// The subscriptions of a session that have something to pull, in the order in which they are
// served.
#pragma once

#include <utility>

#include "hub/subscription.h"

namespace parley::session {

// What: a ring through Subscription::next_dirty, held by its end. Owner: Session. Shard: its own.
class DirtyList {
 public:
  bool empty() const { return last_ == nullptr; }
  hub::Subscription* first() const { return last_ ? last_->next_dirty : nullptr; }
  // The one behind, or null at the end.
  hub::Subscription* after(const hub::Subscription& subscription) const {
    return &subscription == last_ ? nullptr : subscription.next_dirty;
  }

  bool holds_only(const hub::Subscription& subscription) const {
    return last_ == &subscription && subscription.next_dirty == &subscription;
  }

  void push(hub::Subscription& subscription) {
    if (last_ == nullptr) {
      subscription.next_dirty = &subscription;
    } else {
      subscription.next_dirty = last_->next_dirty;
      last_->next_dirty = &subscription;
    }
    last_ = &subscription;
  }

  void remove(hub::Subscription& subscription) {
    remove_if([&](const hub::Subscription& other) { return &other == &subscription; });
  }

  // The one behind `subscription` is first from now on.
  void rotate(hub::Subscription& subscription) {
    if (subscription.dirty) last_ = &subscription;
  }

  // Takes out those for which `predicate` holds; the order of the others stays.
  template <class Predicate>
  void remove_if(Predicate predicate) {
    hub::Subscription* next = first();
    hub::Subscription* const end = std::exchange(last_, nullptr);
    while (next != nullptr) {
      hub::Subscription& subscription = *next;
      next = &subscription == end ? nullptr : subscription.next_dirty;
      subscription.dirty = !predicate(subscription);
      if (subscription.dirty) push(subscription);
    }
  }
  void clear() { last_ = nullptr; }

 private:
  hub::Subscription* last_ = nullptr;
};

}  // namespace parley::session
