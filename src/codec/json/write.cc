#include "codec/json/write.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "codec/json/marks.h"

namespace parley::codec::json {
namespace {

struct Sequence {
  size_t size = 1;  // bytes that belong together: a character, or the broken beginning of one
  bool valid = false;
};

struct Lead {
  size_t size = 0;  // 0: no character begins like this
  unsigned char low = 0x80;
  unsigned char high = 0xBF;  // bounds of the second byte
};

// Unicode table 3-7, for a byte above 0x7F.
Lead lead_of(unsigned char byte) {
  if (byte < 0xC2 || byte > 0xF4) return {};
  if (byte < 0xE0) return {.size = 2};
  if (byte == 0xE0) return {.size = 3, .low = 0xA0};
  if (byte == 0xED) return {.size = 3, .high = 0x9F};
  if (byte < 0xF0) return {.size = 3};
  if (byte == 0xF0) return {.size = 4, .low = 0x90};
  if (byte == 0xF4) return {.size = 4, .high = 0x8F};
  return {.size = 4};
}

Sequence sequence_at(const char* at, const char* end) {
  Lead lead = lead_of(static_cast<unsigned char>(*at));
  size_t taken = 1;
  for (; taken < lead.size; ++taken) {
    if (at + taken == end) return {.size = taken};
    const auto byte = static_cast<unsigned char>(at[taken]);
    if (byte < lead.low || byte > lead.high) return {.size = taken};
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {.size = taken, .valid = lead.size != 0};
}

// The first byte that cannot be copied unseen: special, or not ASCII.
const char* find_unusual(const char* at, const char* end) { return find_marked<Unusual>(at, end); }

void append_escaped(Buffer& out, char c) {
  constexpr std::string_view kFrom = "\"\\\b\f\n\r\t";
  constexpr std::string_view kTo = "\"\\bfnrt";
  out.push_back('\\');
  if (const size_t known = kFrom.find(c); known != std::string_view::npos) {
    out.push_back(kTo[known]);
    return;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out.append("u00");
  out.push_back(kHex[c >> 4 & 15]);
  out.push_back(kHex[c & 15]);
}

}  // namespace

bool is_plain(std::string_view text) {
  const char* const end = text.data() + text.size();
  return find_unusual(text.data(), end) == end;
}

bool is_compact(ByteView json) {
  return json.empty() || (std::memchr(json.data(), '\n', json.size()) == nullptr &&
                          std::memchr(json.data(), '\r', json.size()) == nullptr);
}

void append_string(Buffer& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  // Names and ids, which are most of what is written, in one piece.
  char quoted[64];
  if (text.size() <= sizeof quoted - 2 && find_unusual(at, end) == end) {
    quoted[0] = '"';
    std::copy(at, end, quoted + 1);
    quoted[text.size() + 1] = '"';
    out.append(quoted, text.size() + 2);
    return;
  }
  out.push_back('"');
  while (at != end) {
    const char* stop = find_unusual(at, end);
    out.append(at, stop);
    if (stop == end) break;
    at = stop + 1;
    if (static_cast<signed char>(*stop) >= 0) {
      append_escaped(out, *stop);
    } else {
      const Sequence sequence = sequence_at(stop, end);
      at = stop + sequence.size;
      if (sequence.valid) {
        out.append(stop, at);
      } else {
        out.append("\xEF\xBF\xBD");
      }
    }
  }
  out.push_back('"');
}

void append_compact(Buffer& out, ByteView json) {
  const auto breaks = [](char c) { return c == '\n' || c == '\r'; };
  if (is_compact(json)) {
    out.append(json);
    return;
  }
  std::remove_copy_if(json.begin(), json.end(), std::back_inserter(out), breaks);
}

void append_int(Buffer& out, int64_t value) {
  if (value < 0) out.push_back('-');
  const auto magnitude = static_cast<uint64_t>(value);
  append_uint(out, value < 0 ? 0 - magnitude : magnitude);
}

}  // namespace parley::codec::json
