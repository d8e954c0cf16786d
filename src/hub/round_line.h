// A line in which each element is looked at once a round, some in each turn, while others come and
// go.
#pragma once

#include "base/intrusive_list.h"

namespace parley::hub {

// What: elements in the order in which they came; a round over them does not change it. An element
// may leave at any time (ListNode::unlink). Owner: who owns the elements. Shard: its own.
template <class T, class Tag>
class RoundLine {
 public:
  bool empty() const { return seen_.empty() && due_.empty() && fresh_.empty(); }
  // The one that came first.
  T& front() {
    if (!seen_.empty()) return seen_.front();
    return due_.empty() ? fresh_.front() : due_.front();
  }
  T& pop_front() {
    T& element = front();
    static_cast<ListNode<Tag>&>(element).unlink();
    return element;
  }
  // Not due before the next round.
  void push_back(T& element) { fresh_.push_back(element); }

  // All are due.
  void begin_round() {
    seen_.append(due_);
    seen_.append(fresh_);
    due_.append(seen_);
  }
  bool due() const { return !due_.empty(); }
  T& pop_due() { return due_.pop_front(); }
  // Where it was, right after pop_due().
  void put_back(T& element) { seen_.push_back(element); }

 private:
  // One after the other: those looked at in this round, those to be, those that came since it
  // began.
  IntrusiveList<T, Tag> seen_;
  IntrusiveList<T, Tag> due_;
  IntrusiveList<T, Tag> fresh_;
};

}  // namespace parley::hub
