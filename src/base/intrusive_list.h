// A doubly linked list whose links live in the elements: no allocation, O(1) removal by the element
// itself.
#pragma once

#include <cstddef>

#include "base/check.h"

namespace parley {

// Base of an element; Tag lets one object stand in several lists. Unlinks itself when destroyed.
template <class Tag>
class ListNode {
 public:
  // A tag may be the element itself, but need not:
  // NOLINTBEGIN(bugprone-crtp-constructor-accessibility)
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  // NOLINTEND(bugprone-crtp-constructor-accessibility)
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!linked()) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

template <class T, class Tag>
class IntrusiveList {
 public:
  IntrusiveList() { root_.prev_ = root_.next_ = &root_; }
  ~IntrusiveList() {
    while (!empty()) pop_front();
    root_.prev_ = root_.next_ = nullptr;
  }
  bool empty() const { return root_.next_ == &root_; }
  T& front() { return *static_cast<T*>(root_.next_); }
  void push_back(T& element) {
    ListNode<Tag>& node = element;
    CHECK(!node.linked());
    node.prev_ = root_.prev_;
    node.next_ = &root_;
    root_.prev_->next_ = &node;
    root_.prev_ = &node;
  }
  T& pop_front() {
    T& element = front();
    static_cast<ListNode<Tag>&>(element).unlink();
    return element;
  }
  // Iteration; the list must not change meanwhile.
  class Iterator {
   public:
    explicit Iterator(ListNode<Tag>* at) : at_(at) {}
    T& operator*() const { return *static_cast<T*>(at_); }
    Iterator& operator++() {
      at_ = at_->next_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    ListNode<Tag>* at_;
  };
  Iterator begin() { return Iterator(root_.next_); }
  Iterator end() { return Iterator(&root_); }

  // Takes all elements of `other`, behind ours; O(1) however long it is.
  void append(IntrusiveList& other) {
    if (other.empty()) return;
    ListNode<Tag>* first = other.root_.next_;
    ListNode<Tag>* last = other.root_.prev_;
    first->prev_ = root_.prev_;
    root_.prev_->next_ = first;
    last->next_ = &root_;
    root_.prev_ = last;
    other.root_.prev_ = other.root_.next_ = &other.root_;
  }

 private:
  ListNode<Tag> root_;
};

}  // namespace parley
