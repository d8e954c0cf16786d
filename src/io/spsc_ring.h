// A bounded FIFO between exactly two threads.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"

namespace parley::io {

// Single producer, single consumer; entries are moved in and out. Memory is taken for the whole
// capacity but touched only as it is used.
// Failure: push() on a full ring is the caller's bug; it asks free_slots() first.
template <class T>
class SpscRing {
 public:
  explicit SpscRing(size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1),
        slots_(std::allocator<T>().allocate(std::bit_ceil(capacity))) {
    CHECK(capacity > 0);
  }
  ~SpscRing() {
    while (T* entry = front()) {
      static_cast<void>(entry);
      pop();
    }
    std::allocator<T>().deallocate(slots_, mask_ + 1);
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  size_t capacity() const { return mask_ + 1; }

  // Producer: at least so many entries can be pushed.
  size_t free_slots() {
    head_seen_ = head_.load(std::memory_order_acquire);
    return capacity() - (tail_.load(std::memory_order_relaxed) - head_seen_);
  }
  void push(T&& value) { emplace(std::move(value)); }
  // The entry is made in its slot.
  template <class... Args>
  void emplace(Args&&... args) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity()) CHECK(free_slots() > 0);
    std::construct_at(slots_ + (tail & mask_), std::forward<Args>(args)...);
    tail_.store(tail + 1, std::memory_order_release);
  }

  // Consumer: the oldest entry, null when empty; valid until pop().
  T* front() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return nullptr;
    }
    return slots_ + (head & mask_);
  }
  void pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    std::destroy_at(slots_ + (head & mask_));
    head_.store(head + 1, std::memory_order_release);
  }

  // Any of the two.
  bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  const size_t mask_;
  T* const slots_;
  // Each side has its own cache line, with what it last saw of the other.
  alignas(64) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;
  alignas(64) std::atomic<size_t> head_{0};
  size_t tail_seen_ = 0;
};

}  // namespace parley::io
