#include "codec/json/scratch.h"

#include <algorithm>

namespace parley::codec::json {
namespace {
constexpr size_t kBlockBytes = 4096;
constexpr size_t kKeptEntries = 256;
}  // namespace

char* Scratch::allocate(size_t size) {
  if (first_ == nullptr) {
    first_ = std::make_unique_for_overwrite<char[]>(kBlockBytes);
    next_ = first_.get();
    free_ = kBlockBytes;
  }
  if (size > free_) {
    free_ = std::max(size, kBlockBytes);
    next_ = further_.emplace_back(std::make_unique_for_overwrite<char[]>(free_)).get();
  }
  char* room = next_;
  next_ += size;
  free_ -= size;
  return room;
}

void Scratch::reset() {
  keys_.clear();
  if (keys_.capacity() > kKeptEntries) keys_.shrink_to_fit();
  if (further_.capacity() > kKeptEntries) further_.shrink_to_fit();
  further_.clear();
  next_ = first_.get();
  free_ = first_ == nullptr ? 0 : kBlockBytes;
}

}  // namespace parley::codec::json
