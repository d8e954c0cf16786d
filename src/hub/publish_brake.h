// Slows publishers of a shard down while memory is scarce, before anybody else has to suffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/time.h"
#include "hub/broker.h"
#include "hub/requester.h"

namespace parley::hub {

// What: delays every publish that is asked for on this shard by the same time, so that none
// overtakes another, or refuses all. Whoever waits for answers publishes no faster than that;
// whoever does not comes to the bound of unanswered commands, where reading pauses. Owner: Hub.
// Shard: its own. Failure: what is refused is overloaded, certainly not applied.
// Why so: docs/adr/0020-overflow-per-key-and-admission.md.
class PublishBrake {
 public:
  enum class Step : uint8_t { kOff, kSlow, kRefuse };
  struct Publish {
    RequesterId who;
    StepId step = 0;
    PublishRecord record;
    RequesterRole role = RequesterRole::kClient;
  };
  // An eighth of publishes and bytes is as much as one client may take, as goes on in one turn, and
  // as is kept free for the operator.
  struct Limits {
    Duration delay = milliseconds(100);
    size_t publishes = 1024;  // that are delayed
    size_t bytes = 4 << 20;
  };

  explicit PublishBrake(const Limits& limits) : limits_(limits) {}

  void set(Step step) { step_ = step; }
  // Whether publishes must go through take().
  bool engaged() const { return step_ != Step::kOff || waiting(); }
  bool waiting() const { return !waiting_.empty(); }
  // False: it is refused.
  bool take(Publish publish, Time now);
  // Takes back what `which(publish)` says, and gives each to `refuse(who, step)`.
  template <class Which, class Refuse>
  void withdraw(Which which, Refuse refuse);
  // The next portion may go.
  void begin_turn() { gone_ = {}; }
  // One that goes on now, in order.
  std::optional<Publish> next(Time now);

 private:
  static constexpr size_t kParts = 8;
  struct Waiting {
    Publish publish;
    Time due;
    size_t cost;
  };
  struct Sum {
    size_t publishes = 0;
    size_t bytes = 0;
  };

  static uint64_t key_of(RequesterId who) {
    return static_cast<uint64_t>(who.generation) << 32 | who.index;
  }
  bool has_room(const Publish& publish, size_t cost) const;
  void leave(const Waiting& waiting);
  // Whether one more is within a part of the limits; the first is, however large.
  bool within_part(const Sum& sum, size_t cost) const {
    return sum.publishes == 0 || (sum.publishes < limits_.publishes / kParts &&
                                  sum.bytes + cost <= limits_.bytes / kParts);
  }

  Limits limits_;
  Step step_ = Step::kOff;
  std::deque<Waiting> waiting_;
  size_t bytes_ = 0;
  std::unordered_map<uint64_t, Sum> of_client_;  // that wait, by requester
  Sum gone_;                                     // in this turn
};

template <class Which, class Refuse>
void PublishBrake::withdraw(Which which, Refuse refuse) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (!which(waiting.publish)) return false;
    leave(waiting);
    refuse(waiting.publish.who, waiting.publish.step);
    return true;
  });
}

}  // namespace parley::hub
