// Base64 (RFC 4648 4) with padding, standard alphabet.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace parley {

void append_base64(Buffer& out, ByteView bytes);
// Strict: full padding, no spaces, no bits left over. nullopt otherwise.
std::optional<Buffer> decode_base64(std::string_view text);

}  // namespace parley
