// How much went on to each channel in this turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::hub {

// What: bytes by channel since the turn began, without an allocation for each channel or turn. A
// channel that finds no place of its own shares one, so that it is counted too high, never too
// low. Owner: PublishGate. Shard: home.
class AdmittedBytes {
 public:
  // Whether so much may go on in this turn, and then it is counted: up to `most`, or the first one
  // however large. `channel` is a hash.
  bool take(uint64_t channel, size_t bytes, size_t most);
  void end_turn() { ++turn_; }

 private:
  struct Place {
    uint64_t channel = 0;
    uint64_t turn = 0;
    size_t bytes = 0;
  };
  static constexpr size_t kPlaces = 1024;
  static constexpr size_t kTries = 8;

  Place& place_of(uint64_t channel);

  std::vector<Place> places_;  // none before the first one is counted
  uint64_t turn_ = 1;
};

}  // namespace parley::hub
