// JSON string escapes back to bytes.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace parley::codec::json {

// Decodes what stands between the quotes of a scanned string into `out`, which has room for
// raw.size() bytes, and returns how many it wrote. nullopt when the string holds half a surrogate
// pair: there is no UTF-8 for that.
std::optional<size_t> unescape(ByteView raw, char* out);

}  // namespace parley::codec::json
