#include "http_api/json_fault.h"

#include <algorithm>
#include <string_view>

#include "base/utf8.h"
#include "codec/json/scan.h"

namespace parley::http_api {
namespace {

using codec::json::skip_space;

size_t utf8_fault(ByteView text) {
  Utf8Stream stream;
  for (size_t i = 0; i < text.size(); ++i)
    if (!stream.feed(text.substr(i, 1))) return i;
  return text.size();
}

// A walk over tokens that stops at the first one out of place.
class Walk {
 public:
  explicit Walk(ByteView text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* fault() {
    while (step()) continue;
    return at_;
  }

 private:
  enum class Expect { kValue, kValueOrEnd, kKey, kKeyOrEnd, kColon, kNext };

  bool step() {
    at_ = skip_space(at_, end_);
    if (at_ == end_) return false;
    const char c = *at_;
    switch (expect_) {
      case Expect::kKey:
      case Expect::kKeyOrEnd:
        if (c == '}' && expect_ == Expect::kKeyOrEnd) return close(c);
        return c == '"' && scalar(Expect::kColon);
      case Expect::kColon:
        return c == ':' && take(Expect::kValue);
      case Expect::kNext:
        if (open_.empty()) return false;
        if (c == ',') return take(open_.back() == '}' ? Expect::kKey : Expect::kValue);
        return close(c);
      case Expect::kValueOrEnd:
        if (c == ']') return close(c);
        [[fallthrough]];
      case Expect::kValue:
        break;
    }
    if (c == '{') return open('}', Expect::kKeyOrEnd);
    if (c == '[') return open(']', Expect::kValueOrEnd);
    return scalar(Expect::kNext);
  }
  bool take(Expect next) {
    ++at_;
    expect_ = next;
    return true;
  }
  bool open(char closer, Expect next) {
    if (open_.size() == codec::json::kMaxDepth) return false;
    open_.push_back(closer);
    return take(next);
  }
  bool close(char c) {
    if (open_.empty() || open_.back() != c) return false;
    open_.pop_back();
    return take(Expect::kNext);
  }
  bool scalar(Expect next) {
    const char* behind = codec::json::scan_value(at_, end_, 0);
    if (behind == nullptr) return false;
    at_ = behind;
    expect_ = next;
    return true;
  }

  const char* at_;
  const char* end_;
  Expect expect_ = Expect::kValue;
  std::string open_;  // the closers that are due
};

}  // namespace

std::string json_fault_place(ByteView text) {
  const auto walked = static_cast<size_t>(Walk(text).fault() - text.data());
  const ByteView good = text.substr(0, std::min(walked, utf8_fault(text)));
  const size_t line_start = good.rfind('\n') + 1;  // npos + 1 is 0
  std::string place = "line ";
  append_uint(place, static_cast<uint64_t>(std::ranges::count(good, '\n')) + 1);
  place += ", column ";
  append_uint(place, good.size() - line_start + 1);
  return place;
}

}  // namespace parley::http_api
