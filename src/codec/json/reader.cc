#include "codec/json/reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "codec/json/unescape.h"
#include "codec/json/validate.h"

namespace parley::codec::json {

Reader::Reader(ByteView text, Scratch& scratch, ReaderOptions options)
    : at_(text.data()),
      end_(text.data() + text.size()),
      scratch_(scratch),
      options_(options),
      failed_(!is_utf8(text)) {
  CHECK(options.max_depth <= kMaxDepth);
}

bool Reader::begin_value() {
  CHECK(expected_ || failed_);
  if (failed_) return false;
  at_ = skip_space(at_, end_);
  return at_ != end_ || fail();
}

Kind Reader::kind() {
  if (!begin_value()) return Kind::kNone;
  switch (*at_) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    case 't':
    case 'f':
      return Kind::kBool;
    case 'n':
      return Kind::kNull;
    default:
      return *at_ == '-' || (*at_ >= '0' && *at_ <= '9') ? Kind::kNumber : Kind::kNone;
  }
}

bool Reader::enter(bool object) {
  if (!begin_value() || *at_ != (object ? '{' : '[') || depth_ == options_.max_depth) return fail();
  ++at_;
  ++depth_;
  objects_ = objects_ << 1 | static_cast<uint64_t>(object);
  first_ = true;
  expected_ = false;
  // Marks where the keys of this object begin.
  if (object && options_.duplicate_keys == DuplicateKeys::kRefuse) scratch_.keys_.emplace_back();
  return true;
}

bool Reader::object() { return enter(true); }

bool Reader::array() { return enter(false); }

bool Reader::leave() {
  ++at_;
  if (in_object() && options_.duplicate_keys == DuplicateKeys::kRefuse && !keys_differ()) fail();
  --depth_;
  objects_ >>= 1;
  first_ = false;
  return false;
}

// Takes the keys of the innermost object off the scratch.
bool Reader::keys_differ() {
  auto& keys = scratch_.keys_;
  auto begin = keys.end();
  while ((begin - 1)->data() != nullptr) --begin;
  bool differ = true;
  if (keys.end() - begin <= 8) {
    for (auto i = begin; i != keys.end(); ++i) differ = differ && std::find(begin, i, *i) == i;
  } else {
    std::sort(begin, keys.end(), [](std::string_view a, std::string_view b) {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    differ = std::adjacent_find(begin, keys.end()) == keys.end();
  }
  keys.erase(begin - 1, keys.end());
  return differ;
}

// To the next member or element; false at the container's end or on failure.
bool Reader::advance(char closer) {
  if (failed_) return false;
  if (expected_) raw();
  if (failed_) return false;
  at_ = skip_space(at_, end_);
  if (at_ == end_) return fail();
  if (*at_ == closer) return leave();
  if (!first_) {
    if (*at_ != ',') return fail();
    ++at_;
  }
  first_ = false;
  expected_ = true;
  return true;
}

bool Reader::key(std::string_view& out) {
  CHECK(failed_ || in_object());
  if (!advance('}')) return false;
  at_ = skip_space(at_, end_);
  if (at_ == end_ || *at_ != '"' || !take_string(out)) return fail();
  at_ = skip_space(at_, end_);
  if (at_ == end_ || *at_ != ':') return fail();
  ++at_;
  if (options_.duplicate_keys == DuplicateKeys::kRefuse) scratch_.keys_.push_back(out);
  return true;
}

bool Reader::element() {
  CHECK(failed_ || (depth_ != 0 && !in_object()));
  return advance(']');
}

ByteView Reader::raw() {
  if (!begin_value()) return {};
  const char* begin = at_;
  const char* behind = scan_value(at_, end_, options_.max_depth - depth_);
  if (behind == nullptr) {
    fail();
    return {};
  }
  at_ = behind;
  expected_ = false;
  return {begin, static_cast<size_t>(behind - begin)};
}

bool Reader::null() { return kind() == Kind::kNull && !raw().empty(); }

ByteView Reader::number() {
  if (kind() == Kind::kNumber) return raw();
  fail();
  return {};
}

bool Reader::boolean(bool& out) {
  if (kind() != Kind::kBool) return fail();
  const ByteView word = raw();
  if (failed_) return false;
  out = word == "true";
  return true;
}

bool Reader::string(std::string_view& out) {
  if (kind() != Kind::kString || !take_string(out)) return fail();
  expected_ = false;
  return true;
}

// at_ is an opening quote.
bool Reader::string(std::string& out) {
  std::string_view text;
  if (!string(text)) return false;
  out = text;
  return true;
}

bool Reader::take_string(std::string_view& out) {
  bool escaped = false;
  const char* behind = scan_string(at_, end_, escaped);
  if (behind == nullptr) return false;
  out = {at_ + 1, static_cast<size_t>(behind - at_ - 2)};
  at_ = behind;
  if (!escaped) return true;
  char* room = scratch_.allocate(out.size());
  const std::optional<size_t> size = unescape(out, room);
  if (!size) return false;
  out = {room, *size};
  return true;
}

bool Reader::finish() {
  if (failed_) return false;
  CHECK(depth_ == 0);
  if (expected_) raw();
  return !failed_ && (skip_space(at_, end_) == end_ || fail());
}

}  // namespace parley::codec::json
