// A subscriber's interest in one channel: a cursor into the channel's tail, not a queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/intrusive_list.h"
#include "hub/requester.h"
#include "hub/tail.h"

namespace parley::hub {

class LocalChannel;
class LocalChannels;
class Subscription;

// Where a subscription starts.
struct Start {
  enum class Kind : uint8_t {
    kLive,     // behind the top
    kRecover,  // all that was missed since `position` comes in the answer, or none of it and
               // recovered == false
    kNewest,   // the newest `limit` publications that are still kept come in the answer;
               // recovered == whether the newest of all is among them
    kResume,   // the cursor starts at `position`; what is gone is told as a gap
  };
  Kind kind = Kind::kLive;
  // For kRecover and kResume. nullopt: a position that no stream can have. An unknown epoch matches
  // any.
  std::optional<StreamPosition> position;
  // kRecover: more missed publications than this count as not recovered. kNewest: how many.
  uint32_t limit = 0;
};

// The answer to a subscribe: from now on publications behind `cursor` are delivered.
struct Subscribed {
  StreamPosition top;  // of the stream when the subscription became live
  bool recovered = false;
  std::vector<PublicationPtr> missed;
};

// What a cursor can be served now.
struct Pull {
  enum class Kind : uint8_t { kNothing, kPublications, kWaiting, kGap };
  Kind kind = Kind::kNothing;
  std::span<const PublicationPtr>
      publications;     // valid until the channel changes or pull() is called again
  bool shared = false;  // from the tail: others read the same run
  Gap gap;
};

// Implemented by the session. Shard: its hub's.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void on_subscribed(Subscription& subscription,
                             std::expected<Subscribed, HubError> result) = 0;
  // The subscription has something to pull. Called once until the subscriber clears `dirty`. Must
  // only take note: neither the hub nor an adapter may be called from here.
  virtual void on_dirty(Subscription& subscription) = 0;
  // Who it is when it publishes.
  virtual RequesterId requester() const { return {}; }
};

struct WaitTag;

// What: one subscriber's place in one channel. Owner: the subscriber, which must unsubscribe it
// before destroying it. Shard: its hub's. The hub writes everything but `dirty` and `next_dirty`;
// advance() moves the cursor.
class Subscription : public ListNode<WaitTag> {
 public:
  Subscription(Subscriber& owner, uint32_t handle) : handle_(handle), owner_(owner) {}
  ~Subscription();

  uint32_t handle() const { return handle_; }  // the subscriber's own name for it
  bool live() const { return state_ == State::kLive; }
  bool idle() const { return state_ == State::kIdle; }
  const LocalChannel* channel() const { return channel_; }
  uint64_t position() const {
    return position_;
  }  // offset of the last publication that was delivered or skipped
  // A gap has to be told before anything else is delivered: the next pull() gives it.
  bool gap_due() const { return live() && catchup_ && catchup_->gap; }
  // pull() would give something, and not only wait.
  bool pullable() const;
  // It would not be once `offset` was delivered.
  bool ends_at(uint64_t offset) const;
  // Everything up to `offset` has been handed to the transport. Call it right after the pull() that
  // gave the publications: a reset in between would make `offset` mean something else.
  void advance(uint64_t offset) {
    if (offset > position_) position_ = offset;
  }

  // The subscriber's list of subscriptions that have something to pull.
  Subscription* next_dirty = nullptr;
  bool dirty = false;
  // The subscriber's: this is a part of something larger.
  bool varied = false;

 private:
  friend class LocalChannels;
  friend class LocalChannel;
  // Into the processor's cache, for a call that is near: what of the subscriber it will touch.
  void fetch_owner() const {
    constexpr size_t kCacheLine = 64;
    const auto* at = reinterpret_cast<const std::byte*>(&owner_);
    for (size_t line = 0; line < 4; ++line) __builtin_prefetch(at + line * kCacheLine, 1);
  }

  enum class State : uint8_t { kIdle, kWaiting, kReady, kLive };
  // Here, because the small members fill one word with `dirty`.
  State state_ = State::kIdle;
  uint8_t late_ = 0;    // where publishers wait for it: the sweeps that saw it too far behind
  uint32_t index_ = 0;  // among the channel's live subscriptions
  uint32_t handle_;

  // Only while starting or catching up.
  struct Catchup {
    Start start;
    std::vector<PublicationPtr> collected;  // kRecover, kNewest: what pages brought so far
    uint64_t reached = 0;                   // ... and up to which offset
    uint32_t first_read = 0;  // a page asked for before this one may be older than the position
    bool other_life = false;  // the position is of another life than this shard knows
    std::shared_ptr<const ReadPage> page;  // live: a page of history being read on from
    // Live, in a channel that skips: up to here the reader is given what it asked for, however far
    // behind it is.
    uint64_t owed = 0;
    // Live, too far behind in a channel that conflates per key: up to here it is given the newest
    // of each key.
    uint64_t conflated_to = 0;
    std::optional<Gap> gap;  // to be told before anything else is delivered
    std::optional<std::expected<Subscribed, HubError>> result;  // the answer, until it is delivered
  };
  Catchup& catchup() {
    if (!catchup_) catchup_ = std::make_unique<Catchup>();
    return *catchup_;
  }

  Subscriber& owner_;
  LocalChannel* channel_ = nullptr;
  uint64_t position_ = 0;
  std::unique_ptr<Catchup> catchup_;
};

}  // namespace parley::hub
