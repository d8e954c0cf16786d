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
  top_ = base;
  // An idle channel must not keep the memory of its busiest moment.
  kept_.reset();
}

bool Tail::append(PublicationPtr publication, size_t max_bytes) {
  if (publication->offset <= top_) return false;
  if (publication->prev > top_) reset(publication->prev);
  if (!kept_) {
    kept_ = std::make_unique<Kept>();
    kept_->base = top_;
  }
  top_ = publication->offset;
  kept_->bytes += publication->cost();
  kept_->entries.push_back(std::move(publication));
  while (kept_->bytes > max_bytes && has_several()) drop_front();
  return true;
}

void Tail::drop_front() {
  auto& [entries, first, bytes, base] = *kept_;
  bytes -= entries[first]->cost();
  base = entries[first]->offset;
  entries[first].reset();
  ++first;
  if (first >= 64 && first * 2 >= entries.size()) {
    entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(first));
    first = 0;
  }
}

void Tail::trim_older_half(uint64_t offset) {
  if (offset >= top_ && !has_several()) return trim();
  const size_t half = bytes() / 2;
  while (has_several() && bytes() > half && front().offset <= offset) drop_front();
}

void Tail::trim_to(uint64_t offset) {
  if (offset >= top_) return trim();
  while (kept_ && front().offset <= offset) drop_front();
}

void Tail::trim_to_newest() {
  while (has_several()) drop_front();
}

void Tail::adopt_newest(PublicationPtr publication) {
  if (kept_ || publication->offset != top_) return;
  reset(publication->prev);
  append(std::move(publication), SIZE_MAX);
}

const Publication* Tail::find(uint64_t offset) const {
  if (!kept_ || offset > top_) return nullptr;
  const auto run = std::span(kept_->entries).subspan(kept_->first);
  if (run.back()->offset == offset) return run.back().get();
  const auto behind = after_position(run, offset);
  const size_t at = run.size() - behind.size();
  return at > 0 && run[at - 1]->offset == offset ? run[at - 1].get() : nullptr;
}

std::span<const PublicationPtr> Tail::after(uint64_t position) const {
  CHECK(covers(position));
  if (!kept_) return {};
  return after_position(std::span(kept_->entries).subspan(kept_->first), position);
}

}  // namespace parley::hub
