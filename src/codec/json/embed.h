// Bytes of any kind that are to stand inside JSON.
#pragma once

#include "base/bytes.h"

namespace parley::codec::json {

// JSON as it is, other text as a JSON string, anything else as {"base64":"..."}; nothing stays
// nothing.
Buffer to_embeddable(Buffer bytes);

}  // namespace parley::codec::json
