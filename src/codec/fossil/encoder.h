// Deltas out: what a receiver needs to make one text of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace parley::codec::fossil {

// Where a delta may cut the target. A delta that travels as text must itself be valid UTF-8.
enum class Cuts : uint8_t { kAnywhere, kAtCharacters };

// What: makes deltas; keeps its tables for the next one. Owner: whoever encodes; one per thread.
// Failure: false where the whole is as good. Time is linear in both texts, whatever they hold.
// Source: "Fossil Delta Format", fossil-scm.org.
class Encoder {
 public:
  // Larger texts are not compared.
  static constexpr size_t kMaxBytes = 1 << 20;

  // Appends the delta from `base` to `target`; false, and nothing appended: it is not smaller than
  // the target. With kAtCharacters the target must be valid UTF-8.
  bool encode(ByteView base, ByteView target, Cuts cuts, Buffer& out);

 private:
  struct Match {
    size_t from;  // in the base
    size_t at;    // in the target
    size_t length;
  };

  void index(ByteView base);
  Match longest(ByteView base, ByteView target, size_t at, size_t floor) const;
  // Appends segments for the target, of which `head` and `tail` bytes are those of the base. False:
  // that is too long.
  bool encode_middle(ByteView base, ByteView target, Cuts cuts, size_t head, size_t tail,
                     size_t limit, Buffer& out);
  size_t slot_of(uint64_t block) const;

  std::vector<uint32_t> slots_;  // number of the first block with this hash, plus one
  std::vector<uint32_t> next_;   // ... of the next block with the same hash
  int shift_ = 0;
};

}  // namespace parley::codec::fossil
