// Our scanner against simdjson's DOM parser, and the writer against both.
#include <cstdlib>

#include <simdjson.h>

#include "codec/json/reader.h"
#include "codec/json/validate.h"
#include "codec/json/write.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

// simdjson allows what we count as too deep, and refuses numbers outside of double or 64 bits and
// lone surrogates, which the grammar allows.
void compare_with_simdjson(ByteView text, bool valid) {
  static simdjson::dom::parser parser;
  const auto error = parser.parse(text.data(), text.size()).error();
  const bool converts = error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR;
  if (valid) require(error == simdjson::SUCCESS || converts);
  if (valid || error != simdjson::SUCCESS) return;
  size_t depth = 0;
  for (char c : text) depth += c == '[' || c == '{';
  require(depth > codec::json::kMaxDepth);
}

// Reads everything member by member, as deep as the text goes. Recursion is bounded by the depth.
void read_all(codec::json::Reader& reader) {
  using codec::json::Kind;
  std::string_view text;
  if (reader.kind() == Kind::kObject && reader.object()) {
    while (reader.key(text)) read_all(reader);
  } else if (reader.kind() == Kind::kArray && reader.array()) {
    while (reader.element()) read_all(reader);
  } else if (!reader.failed()) {
    reader.raw();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  const bool valid = codec::json::is_valid(text);
  compare_with_simdjson(text, valid);

  static codec::json::Scratch scratch;
  scratch.reset();
  codec::json::Reader skipping(text, scratch);
  skipping.raw();
  require(skipping.finish() == valid);

  codec::json::Reader reader(text, scratch,
                             {.duplicate_keys = codec::json::DuplicateKeys::kLastWins});
  read_all(reader);
  // Only a key with half a surrogate pair may fail the one and pass the other.
  if (reader.finish() != valid) require(valid && text.find("\\u") != text.npos);

  Buffer out;
  codec::json::append_string(out, text);
  require(codec::json::is_valid(out));
  if (!valid) return 0;
  out.clear();
  codec::json::append_compact(out, text);
  require(codec::json::is_valid(out) && out.find('\n') == out.npos);
  return 0;
}
