#include "codec/json/scan.h"

#include <cstring>

#include "base/check.h"
#include "codec/json/marks.h"

namespace parley::codec::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

const char* scan_digits(const char* at, const char* end) {
  if (at == end || !is_digit(*at)) return nullptr;
  while (at != end && is_digit(*at)) ++at;
  return at;
}

const char* scan_word(const char* at, const char* end, std::string_view word) {
  if (static_cast<size_t>(end - at) < word.size()) return nullptr;
  return std::memcmp(at, word.data(), word.size()) == 0 ? at + word.size() : nullptr;
}

const char* scan_scalar(const char* at, const char* end) {
  bool escaped = false;
  switch (*at) {
    case '"':
      return scan_string(at, end, escaped);
    case 't':
      return scan_word(at, end, "true");
    case 'f':
      return scan_word(at, end, "false");
    case 'n':
      return scan_word(at, end, "null");
    default:
      return scan_number(at, end);
  }
}

// `at` is where a member's key should begin; returns the byte behind its colon.
const char* scan_key(const char* at, const char* end) {
  at = skip_space(at, end);
  if (at == end || *at != '"') return nullptr;
  bool escaped = false;
  at = scan_string(at, end, escaped);
  if (at == nullptr) return nullptr;
  at = skip_space(at, end);
  return at != end && *at == ':' ? at + 1 : nullptr;
}

// The containers that are open around the scanner: bit 0 tells whether the innermost is an object.
struct Open {
  uint64_t objects = 0;
  uint32_t depth = 0;

  bool in_object() const { return (objects & 1) != 0; }
  char closer() const { return in_object() ? '}' : ']'; }
  void push(bool object) {
    objects = objects << 1 | static_cast<uint64_t>(object);
    ++depth;
  }
  void pop() {
    objects >>= 1;
    --depth;
  }
};

// Behind a whole value: closes what ends here and stops before the next value. `open.depth` is 0
// when the outermost value has ended.
const char* scan_after_value(const char* at, const char* end, Open& open) {
  while (open.depth != 0) {
    at = skip_space(at, end);
    if (at == end) return nullptr;
    if (*at == ',') return open.in_object() ? scan_key(at + 1, end) : at + 1;
    if (*at != open.closer()) return nullptr;
    ++at;
    open.pop();
  }
  return at;
}

}  // namespace

const char* find_special(const char* at, const char* end) { return find_marked<Special>(at, end); }

const char* scan_string(const char* at, const char* end, bool& escaped) {
  escaped = false;
  for (++at;;) {
    at = find_special(at, end);
    if (at == end) return nullptr;
    if (*at == '"') return at + 1;
    if (*at != '\\') return nullptr;
    escaped = true;
    if (++at == end) return nullptr;
    if (*at == 'u') {
      if (end - at < 5) return nullptr;
      if (!is_hex(at[1]) || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4])) return nullptr;
      at += 5;
    } else if (std::strchr("\"\\/bfnrt", *at) != nullptr && *at != '\0') {
      ++at;
    } else {
      return nullptr;
    }
  }
}

const char* scan_number(const char* at, const char* end) {
  if (at != end && *at == '-') ++at;
  if (at == end) return nullptr;
  at = *at == '0' ? at + 1 : scan_digits(at, end);
  if (at != nullptr && at != end && *at == '.') at = scan_digits(at + 1, end);
  if (at != nullptr && at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    at = scan_digits(at, end);
  }
  return at;
}

const char* scan_value(const char* at, const char* end, uint32_t max_depth) {
  CHECK(max_depth <= kMaxDepth);
  Open open;
  do {
    at = skip_space(at, end);
    if (at == end) return nullptr;
    if (*at == '{' || *at == '[') {
      if (open.depth == max_depth) return nullptr;
      open.push(*at == '{');
      at = skip_space(at + 1, end);
      if (at == end) return nullptr;
      if (*at != open.closer()) {
        if (open.in_object()) at = scan_key(at, end);
        if (at == nullptr) return nullptr;
        continue;
      }
    } else {
      at = scan_scalar(at, end);
      if (at == nullptr) return nullptr;
    }
    at = scan_after_value(at, end, open);
  } while (at != nullptr && open.depth != 0);
  return at;
}

}  // namespace parley::codec::json
