// Masking of payloads (RFC 6455 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace parley::codec::websocket {

using MaskKey = std::array<char, 4>;  // in the order of the wire

// Masks or unmasks `payload` in place; its first byte is byte `offset` of the frame's payload.
void apply_mask(std::span<char> payload, MaskKey key, size_t offset);

}  // namespace parley::codec::websocket
