// Deltas in: for the command line tool, for tests, and for whoever wants to check the encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.h"

namespace parley::codec::fossil {

enum class DecodeError : uint8_t {
  kSyntax,      // not a delta, or cut off
  kTooLarge,    // the result would be larger than allowed, or than the delta announced
  kNotOfBase,   // copies from behind the base's end
  kWrongSize,   // the result is shorter than announced
  kWrongBytes,  // the checksum of the result is another one
};

// Appends to `out` what `delta` makes of `base`. After an error `out` is as it was. Reads the
// result's announced size first, so nothing larger than `max_bytes` is ever built.
std::expected<void, DecodeError> decode(ByteView base, ByteView delta, size_t max_bytes,
                                        Buffer& out);

}  // namespace parley::codec::fossil
