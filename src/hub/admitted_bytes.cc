#include "hub/admitted_bytes.h"

namespace parley::hub {

AdmittedBytes::Place& AdmittedBytes::place_of(uint64_t channel) {
  if (places_.empty()) places_.resize(kPlaces);
  for (size_t n = 0;; ++n) {
    Place& place = places_[(channel + n) % kPlaces];
    if (place.turn != turn_) {
      place = {.channel = channel, .turn = turn_};
      return place;
    }
    if (place.channel == channel || n + 1 == kTries) return place;
  }
}

bool AdmittedBytes::take(uint64_t channel, size_t bytes, size_t most) {
  Place& place = place_of(channel);
  if (place.bytes > 0 && place.bytes + bytes > most) return false;
  place.bytes += bytes;
  return true;
}

}  // namespace parley::hub
