// Memory that one Reader after another borrows.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

namespace parley::codec::json {

// Holds what a Reader cannot borrow from its text: strings with escapes, decoded, and the keys of
// the objects that are open. Owned by the decoder that makes the readers; what a Reader returned
// from here lives until reset(). An empty Scratch owns no memory; after an outsized message
// reset() gives back everything above a few KiB.
class Scratch {
 public:
  // Room for `size` bytes, valid until reset().
  char* allocate(size_t size);
  void reset();

 private:
  friend class Reader;

  std::unique_ptr<char[]> first_;                 // kept for ever once needed
  std::vector<std::unique_ptr<char[]>> further_;  // until reset()
  char* next_ = nullptr;
  size_t free_ = 0;  // bytes behind next_
  std::vector<std::string_view> keys_;
};

}  // namespace parley::codec::json
