#include "hub/lag_limit.h"

namespace parley::hub {

LagLimit::LagLimit(const OverflowOptions& options, size_t kept_bytes) : options_(options) {
  if (options.policy == OverflowPolicy::kLatest && !options.key.empty())
    keys_ = std::make_unique<NewestPerKey>(options.key, kept_bytes);
  if (options.policy == OverflowPolicy::kBlock) watch_ = std::make_unique<LagWatch>();
}

void LagLimit::reset(uint64_t top) {
  counted_from_ = counted_ = by_bytes_ = by_time_ = 0;
  marks_.clear();
  if (keys_) keys_->reset(top);
  if (watch_) watch_->line = watch_->least = 0;
}

void LagLimit::make_room(const Tail& tail, const PublicationPtr& next) {
  const size_t cost = next->cost();
  if (keys_) keys_->append(next, tail.top());
  // The tail was given back or jumped over a hole: that is no reader's slowness.
  if (!tail.covers(counted_from_)) {
    counted_from_ = tail.base();
    counted_ = tail.bytes();
  }
  counted_ += cost;
  if (counted_ > options_.max_bytes) move_line(tail);
}

void LagLimit::move_line(const Tail& tail) {
  for (const PublicationPtr& publication : tail.after(counted_from_)) {
    counted_ -= publication->cost();
    counted_from_ = by_bytes_ = publication->offset;
    if (counted_ <= options_.max_bytes) break;
  }
}

void LagLimit::on_sweep(uint64_t top, Time now) {
  if (options_.max_delay == Duration::zero()) return;
  size_t old = 0;
  while (old < marks_.size() && now - marks_[old].at >= options_.max_delay)
    by_time_ = marks_[old++].top;
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(old));
  const uint64_t last = marks_.empty() ? by_time_ : marks_.back().top;
  if (top > last) marks_.push_back({top, now});
}

}  // namespace parley::hub
