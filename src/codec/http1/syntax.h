// The character classes and small grammars of RFC 9110 and 9112 that both directions need.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

#include "codec/http1/decode_error.h"

namespace parley::codec::http1 {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// 0 to 15, or -1 when `c` is not a hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char low = to_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// A character of a token (RFC 9110 section 5.6.2).
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 128; ++c)
    table[static_cast<size_t>(c)] =
        is_digit(static_cast<char>(c)) || is_alpha(static_cast<char>(c));
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}();
constexpr bool is_token_char(char c) { return kTokenChars[static_cast<uint8_t>(c)]; }

// What a field value may hold: HTAB, SP, VCHAR, obs-text; so no CR, LF, NUL or other control.
constexpr bool is_value_char(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

// ASCII letters compare without case.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// Without the spaces and tabs at both ends.
std::string_view trim_whitespace(std::string_view text);

// host [":" port] of an http URI, narrower than RFC 3986: letters, digits, '-', '.', '_' or a
// bracketed IPv6 address; no user info, no escapes; a port of 1 to 5 digits up to 65535.
bool is_authority(std::string_view text);

// Calls `visit(element)` for each non-empty element of a comma-separated list, trimmed, until it
// returns true. Returns whether one did.
template <class Visit>
bool any_list_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const auto element = trim_whitespace(list.substr(0, comma));
    if (!element.empty() && visit(element)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

// A chunk's first line without its CR LF (RFC 9112 section 7.1).
struct ChunkLine {
  uint64_t size;
  size_t extension_bytes;
};
// Narrower than the RFC: at most 16 digits, no white space around the parts of an extension.
std::expected<ChunkLine, DecodeError> parse_chunk_line(std::string_view line);

}  // namespace parley::codec::http1
