#include "io/shared_buckets.h"

#include "base/check.h"

namespace parley::io {
namespace {

// 16 ns, of which 40 bits come round after 4.9 hours. What is longer ago than half of that looks as
// if it were to come; it is so far away then that it cannot be.
constexpr int kTickShift = 4;
constexpr int kTickBits = 40;
constexpr uint64_t kTickMask = (uint64_t{1} << kTickBits) - 1;
// The loops' clocks differ by the length of a turn.
constexpr Duration kClocksDiffer = seconds(1);

uint64_t to_ticks(Duration duration) {
  return static_cast<uint64_t>(duration.count()) >> kTickShift;
}
uint64_t tag_of(uint64_t key) {
  const uint64_t tag = key >> kTickBits;
  return tag == 0 ? 1 : tag;  // an empty place is 0
}

}  // namespace

SharedBuckets::SharedBuckets(const Rate& rate, size_t places) : rate_(rate) {
  if (!rate.limited()) return;
  CHECK(places >= kSet && (places & (places - 1)) == 0);
  interval_ = to_ticks(seconds(1)) / rate.per_second;
  spare_ = interval_ * (rate.at_once() - 1);
  latest_ = spare_ + interval_ + to_ticks(kClocksDiffer);
  sets_ = std::vector<Set>(places / kSet);
}

uint64_t SharedBuckets::ticks_left(Word word, uint64_t now) const {
  const uint64_t left = (word - now) & kTickMask;
  return left > latest_ ? 0 : left;
}

bool SharedBuckets::take(uint64_t key, Time now) {
  Set& set = sets_[set_of(key)];
  const uint64_t tag = tag_of(key);
  const uint64_t ticks = to_ticks(now.time_since_epoch()) & kTickMask;
  for (;;) {
    std::atomic<Word>* place = nullptr;
    Word old = 0;
    uint64_t left = UINT64_MAX;
    for (auto& one : set.places) {
      const Word word = one.load(std::memory_order_relaxed);
      const bool own = word >> kTickBits == tag;
      const uint64_t its = ticks_left(word, ticks);
      if (!own && its >= left) continue;
      place = &one;
      old = word;
      left = its;
      if (own) break;
    }
    if (old >> kTickBits != tag) left = 0;  // it begins full, in the place of another
    if (wait_ticks(left) > 0) return false;
    const Word taken = tag << kTickBits | ((ticks + left + interval_) & kTickMask);
    if (place->compare_exchange_weak(old, taken, std::memory_order_relaxed)) return true;
  }
}

Duration SharedBuckets::wait(uint64_t key, Time now) const {
  const uint64_t tag = tag_of(key);
  const uint64_t ticks = to_ticks(now.time_since_epoch()) & kTickMask;
  for (const auto& place : sets_[set_of(key)].places) {
    const Word word = place.load(std::memory_order_relaxed);
    if (word >> kTickBits == tag)
      return Duration(static_cast<int64_t>(wait_ticks(ticks_left(word, ticks)) << kTickShift));
  }
  return Duration::zero();
}

}  // namespace parley::io
