// The readers of small texts: base64 in both alphabets, UTF-8, globs and decimal numbers.
#include <algorithm>
#include <cstdlib>

#include "base/base64.h"
#include "base/glob.h"
#include "base/utf8.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

// There is one spelling only of what is encoded.
void base64(ByteView text) {
  Buffer again;
  if (const auto bytes = decode_base64(text)) append_base64(again, *bytes);
  require(again.empty() || again == text);
  again.clear();
  if (const auto bytes = decode_base64url(text)) append_base64url(again, *bytes);
  require(again.empty() || again == text);

  Buffer padded, plain;
  append_base64(padded, text);
  append_base64url(plain, text);
  require(decode_base64(padded) == text && decode_base64url(plain) == text);
}

void utf8(ByteView text) {
  Utf8Stream stream;
  bool good = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool still = stream.feed(text.substr(i, 1));
    require(good || !still);
    good = still;
  }
  const bool valid = is_valid_utf8(text);
  require(valid == (good && stream.complete()));
  if (!valid) return;
  for (size_t size = 0; size <= std::min<size_t>(text.size(), 64); ++size) {
    const std::string_view cut = truncate_utf8(text, size);
    require(is_valid_utf8(cut) && text.starts_with(cut) && cut.size() <= size);
    require(cut.size() + 4 > size);
  }
}

void glob(std::string_view pattern, std::string_view text) {
  const bool matches = glob_match(pattern, text);
  if (pattern.find_first_of("*?") == pattern.npos)
    require(matches == (pattern.empty() || pattern == text));
  if (!matches || pattern.empty()) return;
  require(glob_match(std::string(pattern) + "*", text));
  require(glob_match("*", text) && static_cast<size_t>(std::ranges::count_if(
                                       pattern, [](char c) { return c != '*'; })) <= text.size());
}

void number(std::string_view text) {
  uint64_t value = 0;
  if (!parse_uint(text, value)) return;
  Buffer again;
  append_uint(again, value);
  const size_t zeros = std::min(text.find_first_not_of('0'), text.size() - 1);
  require(again == text.substr(zeros));
}

}  // namespace

// Byte 0: where a pattern ends and its text begins. The rest: the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView text(reinterpret_cast<const char*>(data) + 1, size - 1);
  base64(text);
  utf8(text);
  number(text);
  const size_t border = std::min<size_t>(data[0], text.size());
  glob(text.substr(0, border), text.substr(border, 256));
  return 0;
}
