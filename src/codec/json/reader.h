// Reads a JSON text member by member, checking it as it goes.
#pragma once

#include <concepts>

#include "base/bytes.h"
#include "codec/json/scan.h"
#include "codec/json/scratch.h"

namespace parley::codec::json {

enum class Kind : uint8_t { kNone, kNull, kBool, kNumber, kString, kArray, kObject };

// What an object that is read member by member may hold. kRefuse is for everything that decides
// something (commands, tokens): two readers of one text must never disagree. With kLastWins the
// caller sees each occurrence in turn and overwrites.
enum class DuplicateKeys : uint8_t { kRefuse, kLastWins };

struct ReaderOptions {
  uint32_t max_depth = kMaxDepth;
  DuplicateKeys duplicate_keys = DuplicateKeys::kRefuse;
};

// A pull reader of one JSON value (RFC 8259): one pass, no tree, no recursion, every byte checked
// once. Usage:
//
//   Reader reader(text, scratch);
//   if (reader.object()) {
//     for (std::string_view key; reader.key(key);) {
//       if (key == "id") reader.integer(id);
//       else if (key == "data") data = reader.raw();
//     }                                      // a value that nobody read is checked and skipped
//   }
//   if (!reader.finish()) ...                // only now is anything read above to be trusted
//
// A temporary on the stack; borrows `text` and `scratch`, and what it returns points into them. Any
// violation (grammar, UTF-8, depth, duplicate key, a value of another type than asked for) is
// final: from then on every call returns false and finish() reports it.
class Reader {
 public:
  Reader(ByteView text, Scratch& scratch, ReaderOptions options = {});

  // The kind of the value that comes next, judged by its first byte.
  Kind kind();

  // Enter an object; then key() until it returns false, which leaves the object.
  bool object();
  bool key(std::string_view& out);

  // Enter an array; then element() until it returns false, which leaves the array.
  bool array();
  bool element();

  // The bytes of the next value exactly as received, without space around; empty on failure.
  ByteView raw();

  // Takes a `null` if one comes next; false, and nothing happens, otherwise.
  bool null();

  // A number without fraction and exponent that fits `out`.
  template <std::integral Int>
    requires(!std::same_as<Int, bool>)
  bool integer(Int& out) {
    const ByteView digits = number();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (failed_ || error != std::errc{} || end != digits.data() + digits.size()) return fail();
    return true;
  }
  bool boolean(bool& out);
  // Decoded. Half a surrogate pair is refused.
  bool string(std::string_view& out);
  bool string(std::string& out);  // copied

  // Refuses the text for a reason that only the caller knows.
  bool fail() {
    failed_ = true;
    return false;
  }
  bool failed() const { return failed_; }

  // True when the whole text was one value, read to its end, with nothing wrong in it.
  bool finish();

 private:
  bool in_object() const { return (objects_ & 1) != 0; }
  bool begin_value();
  bool enter(bool object);
  bool leave();
  bool advance(char closer);
  bool keys_differ();
  ByteView number();
  bool take_string(std::string_view& out);

  const char* at_;
  const char* end_;
  Scratch& scratch_;
  ReaderOptions options_;
  uint64_t objects_ = 0;  // bit 0: the innermost open container is an object
  uint32_t depth_ = 0;
  bool first_ = false;    // nothing of the innermost container was read yet
  bool expected_ = true;  // a value comes next
  bool failed_ = false;
};

}  // namespace parley::codec::json
