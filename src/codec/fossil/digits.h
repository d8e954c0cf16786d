// What both directions of the format share: numbers in base 64, and the checksum.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace parley::codec::fossil {

void append_number(Buffer& out, uint32_t value);
// Digits that append_number() writes.
size_t digits(uint32_t value);
// Takes the number at the front of `text`; false: there is none, or it has more than 32 bits.
bool take_number(ByteView& text, uint32_t& out);

// The sum of the bytes taken as big-endian words of four, the last one filled with zeros.
uint32_t checksum(ByteView bytes);

}  // namespace parley::codec::fossil
