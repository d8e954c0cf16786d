// Pages of history on their way to whoever asked for them, behind all that costs less.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

#include "hub/requester.h"

namespace parley::hub {

// What: what the answers of one turn may hold in publications, since each is encoded and copied for
// its requester alone. The first of a turn goes however large it is; requesters take turns, and
// each has its own in the order in which they came. Owner: Hub. Shard: its own. Failure: what would
// hold too much while it waits is not taken.
// Why so: docs/adr/0025-pages-behind-the-rest.md.
class PageLine {
 public:
  struct Waiting {
    RequesterId who;
    StepId step = 0;
    ReadPage page;
  };

  explicit PageLine(size_t bytes_a_turn) : bytes_a_turn_(bytes_a_turn) {}

  // False: what waits for the same requester holds as many publications as `most` already. One page
  // may always wait, however large.
  [[nodiscard]] bool add(Waiting waiting, size_t most);
  // It is gone, and what it waited for with it.
  void drop(RequesterId who) {
    if (of_requester_.erase(key_of(who)) > 0) std::erase(turns_, key_of(who));
  }
  // For others than those who rest.
  bool waiting() const { return !turns_.empty(); }
  void begin_turn() { gone_ = 0; }
  // One that may go in this turn. `takes(who)`: whether that requester takes one now; if it does
  // not, it rests until resume().
  using Takes = std::function<bool(RequesterId)>;
  std::optional<Waiting> next(const Takes& takes);
  void resume(RequesterId who);

 private:
  static uint64_t key_of(RequesterId who) {
    return static_cast<uint64_t>(who.generation) << 32 | who.index;
  }

  struct Line {
    std::deque<Waiting> pages;
    size_t publications = 0;  // in them
    bool rests = false;       // not in `turns_`
  };

  size_t bytes_a_turn_;
  size_t gone_ = 0;  // in this turn
  std::unordered_map<uint64_t, Line> of_requester_;
  std::deque<uint64_t> turns_;  // each requester once that does not rest
};

}  // namespace parley::hub
