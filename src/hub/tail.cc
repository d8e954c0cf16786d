#include "hub/tail.h"

#include <algorithm>

#include "base/check.h"

namespace parley::hub {

std::span<const PublicationPtr> after_position(std::span<const PublicationPtr> run,
                                               uint64_t position) {
  if (run.empty() || run.front()->offset > position) return run;
  if (run.back()->offset <= position) return {};
  // Offsets are usually contiguous, so the place can be computed; otherwise search.
  const uint64_t guess = position - run.front()->offset + 1;
  if (guess < run.size() && run[guess]->offset == position + 1) return run.subspan(guess);
  const auto it = std::ranges::upper_bound(run, position, {},
                                           [](const PublicationPtr& p) { return p->offset; });
  return run.subspan(static_cast<size_t>(it - run.begin()));
}

void Tail::reset(uint64_t base) {
  base_ = top_ = base;
  bytes_ = first_ = 0;
  // An idle channel must not keep the memory of its busiest moment.
  std::vector<PublicationPtr>().swap(entries_);
}

bool Tail::append(PublicationPtr publication) {
  if (publication->offset <= top_) return false;
  if (publication->prev > top_) reset(publication->prev);
  top_ = publication->offset;
  bytes_ += publication->cost();
  entries_.push_back(std::move(publication));
  while (bytes_ > max_bytes_ && entries_.size() - first_ > 1) drop_front();
  return true;
}

void Tail::drop_front() {
  bytes_ -= entries_[first_]->cost();
  base_ = entries_[first_]->offset;
  entries_[first_].reset();
  ++first_;
  if (first_ >= 64 && first_ * 2 >= entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

std::span<const PublicationPtr> Tail::after(uint64_t position) const {
  CHECK(covers(position));
  return after_position(std::span(entries_).subspan(first_), position);
}

}  // namespace parley::hub
