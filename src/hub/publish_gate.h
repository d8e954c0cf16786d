// The home side of `block`: publishes wait while a subscriber of their channel is too far behind.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/affinity.h"
#include "base/hash.h"
#include "base/time.h"
#include "hub/admitted_bytes.h"
#include "hub/broker.h"
#include "hub/requester.h"
#include "hub/withdrawal.h"

namespace parley::hub {

// Who is too far behind in a channel, of the subscribers on one shard.
struct Backlog {
  enum class Kind : uint8_t {
    kNobody,
    kOne,   // one requester alone, whose own publishes need not wait for it
    kMany,  // several, or one that publishes nothing
  };
  Kind kind = Kind::kNobody;
  RequesterId one;
  bool operator==(const Backlog&) const = default;
};

// What: publish admission. Holds publishes to channels with a backlog, in their order, until it is
// gone or they have waited for as long as their namespace allows. Owner: HomeChannels. Shard: home.
// Failure: what cannot wait, or waited in vain, is refused as overloaded, certainly not applied;
// a shard that says nothing more about its backlog has none after `kBelieved`. Why so:
// docs/adr/0020-overflow-per-key-and-admission.md.
class PublishGate {
 public:
  // Who asked for a publish, and waits for its answer.
  struct Asked {
    ShardId from = kNoShard;
    RequesterId who;  // on that shard
    uint64_t waiter = 0;
  };
  struct Publish : Asked {
    PublishRecord record;
  };
  // Where publishes go on. Implemented by HomeChannels.
  class Outcome {
   public:
    virtual ~Outcome() = default;
    virtual void admit(Publish publish, const Now& now) = 0;
    virtual void refuse(const Asked& asked, HubError why) = 0;
  };

  // Of each, one channel may take a quarter.
  struct Limits {
    size_t publishes = 1024;  // that wait
    size_t bytes = 8 << 20;
    // ... of one other shard: each keeps one of that shard's credits, which others need too.
    size_t of_shard = 32;
  };
  // For so long a shard's word is believed; it repeats it more often.
  static constexpr Duration kBelieved = seconds(2);
  static constexpr Duration kRepeated = milliseconds(500);

  PublishGate(Outcome& outcome, ShardId home, const Limits& limits)
      : outcome_(outcome), limits_(limits), home_(home) {}
  ~PublishGate();

  // Takes over the record if the publish must wait, or refuses it. False: it may go on at once.
  bool hold(const Asked& asked, PublishRecord& record, const Now& now);
  // What a shard says of its subscribers.
  void note(const std::string& channel, ShardId from, const Backlog& backlog, const Now& now);
  // A shard as a whole does not take what the channel gives it, or does again: only its home knows.
  void set_behind(const std::string& channel, ShardId shard, bool behind);
  // The shard has no subscribers any more, or begins anew.
  void forget(const std::string& channel, ShardId from);
  // Refuses what waits for those waiters of the shard: who asked may not any more.
  void withdraw(ShardId from, const WithdrawnWaiters& waiters);
  // Lets go who may, and refuses who waited for too long.
  void turn(const Now& now);
  // What goes on from here is another turn's: what was before can be read.
  void end_turn() { admitted_.end_turn(); }
  bool waiting() const { return publishes_ > 0; }

 private:
  struct Note {
    ShardId shard;
    Backlog backlog;
    Time until;
  };
  struct Waiting {
    Publish publish;
    Time deadline;
    size_t cost;
  };
  struct Gate {
    std::vector<Note> notes;
    std::vector<ShardId> behind;  // shards
    std::deque<Waiting> waiting;
    std::vector<size_t> of_shard;  // of those that wait, by shard
    size_t bytes = 0;
    bool was_slow = false;  // somebody, since the first of those that wait came

    bool is_slow() const { return !notes.empty() || !behind.empty(); }
  };

  static bool blocked(const Gate& gate, const Asked& asked);
  static bool must_queue(const Gate& gate, const Asked& asked);
  Gate* find(const std::string& channel, const Now& now);
  uint64_t hash_of(const std::string& channel);
  bool has_room(const Gate& gate, const Asked& asked, size_t cost) const;
  void enter(Gate& gate, Publish publish, size_t cost, const Now& now);
  void run(Gate& gate, uint64_t channel, const Now& now);
  void leave(Gate& gate, const Waiting& waiting);

  Outcome& outcome_;
  Limits limits_;
  ShardId home_;
  std::unordered_map<std::string, Gate, SeededHash, std::equal_to<>> gates_;
  AdmittedBytes admitted_;
  // The one hashed last: what comes in one turn is often for one channel.
  std::string recent_;
  uint64_t recent_hash_ = SeededHash{}("");
  std::vector<size_t> of_shard_;  // that wait, by shard
  size_t publishes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace parley::hub
