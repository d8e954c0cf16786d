#include "hub/newest_per_key.h"

#include <algorithm>

namespace parley::hub {

std::string_view NewestPerKey::key_of(const Publication& publication) const {
  for (const auto& [name, value] : publication.tags)
    if (name == tag_) return value;
  return {};
}

void NewestPerKey::reset(uint64_t floor) {
  *this = NewestPerKey(std::move(tag_), max_bytes_);
  floor_ = floor;
}

// The first slot whose offset is not below.
size_t NewestPerKey::find(uint64_t offset) const {
  // Those appended last are usually contiguous, so the place can be computed; otherwise search.
  if (!offsets_.empty()) {
    const uint64_t behind = offsets_.back() - offset;
    const size_t last = offsets_.size() - 1;
    if (behind <= last - first_ && offsets_[last - behind] == offset) return last - behind;
  }
  const auto begin = offsets_.begin() + static_cast<ptrdiff_t>(first_);
  return static_cast<size_t>(std::lower_bound(begin, offsets_.end(), offset) - offsets_.begin());
}

void NewestPerKey::release(size_t slot) {
  bytes_ -= slots_[slot]->cost();
  slots_[slot].reset();
}

void NewestPerKey::append(const PublicationPtr& publication, uint64_t top) {
  if (publication->prev > top) reset(publication->prev);
  const uint64_t offset = publication->offset;
  const std::string_view key = key_of(*publication);
  if (const auto [known, added] = by_key_.insert({key, offset}); !added) {
    release(find(known->offset));
    // What it was read from may be gone.
    known->key = key;
    known->offset = offset;
  }
  bytes_ += publication->cost();
  offsets_.push_back(offset);
  slots_.push_back(publication);
  while (bytes_ > max_bytes_ && by_key_.size() > 1) drop_oldest();
  if (slots_.size() >= 64 && by_key_.size() * 2 < slots_.size()) compact();
}

void NewestPerKey::drop_oldest() {
  while (slots_[first_] == nullptr) ++first_;
  floor_ = offsets_[first_];
  by_key_.erase(by_key_.find(key_of(*slots_[first_])));
  release(first_++);
}

void NewestPerKey::forget(uint64_t offset) {
  while (!by_key_.empty()) {
    while (slots_[first_] == nullptr) ++first_;
    if (offsets_[first_] > offset) break;
    drop_oldest();
  }
  floor_ = std::max(floor_, offset);
  if (by_key_.empty()) reset(floor_);
}

// An append in so many pays for it.
void NewestPerKey::compact() {
  size_t kept = 0;
  for (size_t slot = first_; slot < slots_.size(); ++slot) {
    if (slots_[slot] == nullptr) continue;
    offsets_[kept] = offsets_[slot];
    slots_[kept++] = std::move(slots_[slot]);
  }
  offsets_.resize(kept);
  slots_.resize(kept);
  first_ = 0;
}

std::span<const PublicationPtr> NewestPerKey::after(uint64_t position) const {
  size_t begin = find(position + 1);
  while (begin < slots_.size() && slots_[begin] == nullptr) ++begin;
  size_t end = begin;
  while (end < slots_.size() && slots_[end] != nullptr &&
         (end == begin || slots_[end]->prev == offsets_[end - 1]))
    ++end;
  return std::span(slots_).subspan(begin, end - begin);
}

}  // namespace parley::hub
