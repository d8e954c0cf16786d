#include "codec/http1/syntax.h"

#include <algorithm>

#include "base/bytes.h"

namespace parley::codec::http1 {
namespace {

bool is_port(std::string_view text) {
  uint16_t port = 0;
  return text.size() <= 5 && parse_uint(text, port);
}

bool is_ipv6_char(char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; }

bool is_host_char(char c) { return is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '_'; }

// Takes a token from the front of `text`.
bool take_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_token_char);
  if (end == text.begin()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.begin()));
  return true;
}

// Takes a quoted-string (RFC 9110 section 5.6.4) from the front of `text`.
bool take_quoted_string(std::string_view& text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
    if (i == text.size() || !is_value_char(text[i])) return false;
  }
  return false;
}

bool are_chunk_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    if (!take_token(text)) return false;
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (!(text.starts_with('"') ? take_quoted_string(text) : take_token(text))) return false;
  }
  return true;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_field_value(std::string_view text) { return std::ranges::all_of(text, is_value_char); }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

std::string_view trim_whitespace(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_authority(std::string_view text) {
  std::string_view host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (host.size() < 2 || !std::ranges::all_of(host, is_ipv6_char)) return false;
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
    if (host.empty() || !std::ranges::all_of(host, is_host_char)) return false;
  }
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

std::expected<ChunkLine, DecodeError> parse_chunk_line(std::string_view line) {
  // Sixteen digits are all that 64 bits can hold, so the sum below cannot overflow.
  constexpr size_t kMaxDigits = 16;
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
    if (digits == kMaxDigits) return std::unexpected(DecodeError::kBadChunkSize);
    size = size << 4 | static_cast<uint64_t>(hex_value(line[digits]));
  }
  if (digits == 0) return std::unexpected(DecodeError::kBadChunkSize);
  const auto extensions = line.substr(digits);
  if (!extensions.empty() && extensions.front() != ';')
    return std::unexpected(DecodeError::kBadChunkSize);
  if (!are_chunk_extensions(extensions)) return std::unexpected(DecodeError::kBadChunkExtension);
  return ChunkLine{size, extensions.size()};
}

}  // namespace parley::codec::http1
