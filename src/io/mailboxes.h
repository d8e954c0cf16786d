// Messages between shards: for each ordered pair exactly one bounded FIFO, and nobody ever waits
// for room in one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/affinity.h"
#include "io/meters.h"
#include "io/shard.h"
#include "io/spsc_ring.h"
#include "io/waker.h"

namespace parley::io {

struct MailboxOptions {
  size_t entries = 1024;           // per ring, rounded up to a power of two
  size_t bytes = 4 * 1024 * 1024;  // per ring; beyond it data is refused
  uint32_t credits = 128;          // requests in flight per ordered pair
};

struct SizeOf {
  template <class T>
  size_t operator()(const T&) const {
    return sizeof(T);
  }
};

// N x (N-1) rings of T, a move-only message. Three kinds of traffic share one FIFO per pair:
//  - data (fan-out) is refused when the ring is full; its sender remembers a position and catches
//  up;
//  - a request needs a credit, taken before it is issued;
//  - an answer always fits, since data never uses the last 2 x credits slots: that much is left for
//    our unanswered requests and for our answers to theirs.
// Every request is answered exactly once; draining the answer returns the credit. So draining never
// depends on sending, and full rings both ways cannot deadlock.
// Owner: server/, outlives the shards' runs. The first shard argument of each call is the caller's
// own. `Cost` gives the bytes that a message holds (core: rings are bounded in bytes as well).
template <class T, class Cost = SizeOf>
class Mailboxes {
 public:
  Mailboxes(std::vector<Waker*> wakers, const MailboxOptions& options)
      : options_(options), shards_(wakers.size()), wakers_(std::move(wakers)) {
    CHECK(options.entries > 2 * options.credits);
    for (size_t i = 0; i < shards_; ++i) {
      sides_.push_back(std::make_unique<Side>(shards_));
      for (size_t to = 0; to < shards_; ++to) {
        rings_.push_back(i == to ? nullptr : std::make_unique<Ring>(options.entries));
      }
    }
  }

  // Fan-out. False, with the message untouched, when there is no room.
  [[nodiscard]] bool try_send_data(ShardId from, ShardId to, T&& message) {
    Ring& pair = ring(from, to);
    if (pair.entries.free_slots() <= 2 * size_t{options_.credits} ||
        pair.bytes_held() >= options_.bytes) {
      meters::mail_full.add();
      return false;
    }
    push(from, to, Kind::kData, std::move(message));
    return true;
  }

  // The right to one request; false: park the command or answer "overloaded".
  [[nodiscard]] bool take_credit(ShardId from, ShardId to) {
    uint32_t& used = sides_[from]->credits_used[to];
    if (used == options_.credits) return false;
    ++used;
    return true;
  }
  // Gives back a credit that was taken but not used.
  void return_credit(ShardId from, ShardId to) {
    CHECK(sides_[from]->credits_used[to] > 0);
    --sides_[from]->credits_used[to];
  }
  void send_request(ShardId from, ShardId to, T&& message) {
    CHECK(sides_[from]->credits_used[to] > 0);
    push(from, to, Kind::kRequest, std::move(message));
  }
  // To a request of `to`'s that was drained here and not yet answered.
  void send_answer(ShardId from, ShardId to, T&& message) {
    CHECK(sides_[from]->answers_owed[to] > 0);
    --sides_[from]->answers_owed[to];
    push(from, to, Kind::kAnswer, std::move(message));
  }

  // Calls receive(from, T&&) for at most `budget` messages, fairly over the senders and in FIFO
  // order for each. The receiver may send. Returns how many there were.
  template <class Receive>
  size_t drain(ShardId to, size_t budget, Receive&& receive) {
    Side& side = *sides_[to];
    size_t drained = 0;
    size_t idle_rings = 0;
    while (drained < budget && idle_rings < shards_) {
      side.next_ring = (side.next_ring + 1) % shards_;
      const auto from = static_cast<ShardId>(side.next_ring);
      const size_t count = from == to ? 0 : drain_ring(from, to, budget - drained, receive);
      idle_rings = count == 0 ? idle_rings + 1 : 0;
      drained += count;
    }
    return drained;
  }
  bool pending(ShardId to) const {
    for (size_t from = 0; from < shards_; ++from) {
      if (from != to && !rings_[from * shards_ + to]->entries.empty()) return true;
    }
    return false;
  }

  // Once per turn: wakes those shards that were sent something since the last call, and sleep.
  void wake_peers(ShardId from) {
    Side& side = *sides_[from];
    if (!side.any_touched) return;
    side.any_touched = false;
    for (size_t to = 0; to < shards_; ++to) {
      if (side.touched[to]) wakers_[to]->wake();
      side.touched[to] = false;
    }
  }

 private:
  enum class Kind : uint8_t { kData, kRequest, kAnswer };
  struct Entry {
    T message;
    Kind kind;
    size_t bytes;
  };
  struct Ring {
    explicit Ring(size_t size) : entries(size) {}
    size_t bytes_held() const {
      return bytes_in.load(std::memory_order_relaxed) - bytes_out.load(std::memory_order_acquire);
    }
    SpscRing<Entry> entries;
    // Totals, each written by one side only.
    alignas(64) std::atomic<size_t> bytes_in{0};
    alignas(64) std::atomic<size_t> bytes_out{0};
  };
  // What only one shard touches.
  struct alignas(64) Side {
    explicit Side(size_t shards)
        : credits_used(shards), answers_owed(shards), touched(shards, false) {}
    std::vector<uint32_t> credits_used;  // of ours, by shard asked
    std::vector<uint32_t> answers_owed;  // by us, by shard that asked
    std::vector<bool> touched;
    bool any_touched = false;
    size_t next_ring = 0;
  };

  Ring& ring(ShardId from, ShardId to) {
    CHECK(from != to && from < shards_ && to < shards_);
    return *rings_[from * shards_ + to];
  }

  void push(ShardId from, ShardId to, Kind kind, T&& message) {
    Ring& pair = ring(from, to);
    const size_t bytes = Cost()(message);
    add(pair.bytes_in, bytes);
    pair.entries.emplace(std::move(message), kind, bytes);
    sides_[from]->touched[to] = true;
    sides_[from]->any_touched = true;
  }

  template <class Receive>
  size_t drain_ring(ShardId from, ShardId to, size_t budget, Receive& receive) {
    // A few at a time, so that one busy sender does not use up the turn.
    constexpr size_t kBatch = 32;
    Ring& pair = ring(from, to);
    size_t count = 0;
    for (; count < budget && count < kBatch; ++count) {
      Entry* entry = pair.entries.front();
      if (entry == nullptr) break;
      if (entry->kind == Kind::kRequest) ++sides_[to]->answers_owed[from];
      if (entry->kind == Kind::kAnswer) return_credit(to, from);
      add(pair.bytes_out, entry->bytes);
      T message = std::move(entry->message);
      pair.entries.pop();
      receive(from, std::move(message));
    }
    return count;
  }

  static void add(std::atomic<size_t>& total, size_t bytes) {
    total.store(total.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }

  const MailboxOptions options_;
  const size_t shards_;
  std::vector<Waker*> wakers_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<std::unique_ptr<Ring>> rings_;  // [from * shards + to]
};

// Ties one shard's mail to its turn: drains to a budget, wakes the peers once, does not sleep on
// mail.
template <class T, class Cost = SizeOf>
class MailHook final : public TurnHook {
 public:
  using Receive = std::move_only_function<void(ShardId from, T&& message)>;
  MailHook(Mailboxes<T, Cost>& mail, ShardId self, size_t budget, Receive receive)
      : mail_(mail), self_(self), budget_(budget), receive_(std::move(receive)) {}

  void on_turn(const Now&) override { mail_.drain(self_, budget_, receive_); }
  void on_turn_end() override { mail_.wake_peers(self_); }
  bool has_work() const override { return mail_.pending(self_); }

 private:
  Mailboxes<T, Cost>& mail_;
  const ShardId self_;
  const size_t budget_;
  Receive receive_;
};

}  // namespace parley::io
