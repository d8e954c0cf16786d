#include "codec/json/validate.h"

#include <simdjson.h>

namespace parley::codec::json {

bool is_utf8(ByteView bytes) {
  return bytes.empty() || simdjson::validate_utf8(bytes.data(), bytes.size());
}

bool is_valid(ByteView text, uint32_t max_depth) {
  const char* end = text.data() + text.size();
  const char* at = scan_value(text.data(), end, max_depth);
  return at != nullptr && skip_space(at, end) == end && is_utf8(text);
}

}  // namespace parley::codec::json
