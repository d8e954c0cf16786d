// Names for bytes. A view borrows and is valid until the call that received it returns, unless said
// otherwise.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley {

using ByteView = std::string_view;  // borrowed bytes, not necessarily text
using Buffer = std::string;         // owned, growable bytes; encoders append to it and never flush

// Appends the decimal form of `value`.
inline void append_uint(Buffer& out, uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

// Parses a whole string of decimal digits (no sign, no space). Returns false when empty, not a
// number or too large.
template <class Int>
inline bool parse_uint(std::string_view text, Int& out) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace parley
