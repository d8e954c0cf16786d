// Base64: the standard alphabet with padding (RFC 4648 4), and the one for URLs without it (5).
#pragma once

#include <optional>

#include "base/bytes.h"

namespace parley {

void append_base64(Buffer& out, ByteView bytes);
// Strict: full padding, no spaces, no bits left over. nullopt otherwise.
std::optional<Buffer> decode_base64(std::string_view text);

void append_base64url(Buffer& out, ByteView bytes);
// Strict: no padding, no spaces, no bits left over. nullopt otherwise.
std::optional<Buffer> decode_base64url(std::string_view text);

}  // namespace parley
