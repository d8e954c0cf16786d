#include "codec/websocket/frame_header.h"

#include <cstring>

namespace parley::codec::websocket {
namespace {

constexpr uint8_t kFin = 0x80;
constexpr uint8_t kReservedBits = 0x70;
constexpr uint8_t kCompressed = 0x40;  // RSV1
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;
// By opcode: continuation, text, binary, close, ping, pong.
constexpr uint16_t kKnownOpcodes = 0b0000'0111'0000'0111;

std::unexpected<DecodeFailure> protocol_error(const char* reason) {
  return std::unexpected(DecodeFailure{CloseCode::kProtocolError, reason});
}

uint64_t read_big_endian(ByteView bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

void write_big_endian(char* out, size_t width, uint64_t value) {
  for (size_t i = width; i-- > 0; value >>= 8) out[i] = static_cast<char>(value);
}

Result<void, DecodeFailure> judge_first_byte(uint8_t byte, bool in_message, bool may_compress) {
  const auto opcode = static_cast<Opcode>(byte & 0xf);
  // The bit stands on a message's first frame and speaks for all of it (RFC 7692 6.1).
  const bool begins = opcode == Opcode::kText || opcode == Opcode::kBinary;
  const uint8_t reserved = may_compress && begins ? kReservedBits ^ kCompressed : kReservedBits;
  if (byte & reserved) return protocol_error("reserved bit set");
  if (!(kKnownOpcodes >> (byte & 0xf) & 1)) return protocol_error("unknown opcode");
  if (is_control(opcode)) {
    if (!(byte & kFin)) return protocol_error("fragmented control frame");
  } else if (opcode == Opcode::kContinuation && !in_message) {
    return protocol_error("continuation of no message");
  } else if (opcode != Opcode::kContinuation && in_message) {
    return protocol_error("new message inside a fragmented one");
  }
  return {};
}

Result<void, DecodeFailure> judge_second_byte(uint8_t byte, Opcode opcode, Role role) {
  const bool masked = byte & kMasked;
  if (role == Role::kServer && !masked) return protocol_error("unmasked frame");
  if (role == Role::kClient && masked) return protocol_error("masked frame");
  if (is_control(opcode) && (byte & ~kMasked) > kMaxControlPayload)
    return protocol_error("control frame too long");
  return {};
}

Result<void, DecodeFailure> judge_length(uint64_t length, size_t width) {
  if (width == 2 && length < kLength16) return protocol_error("length not minimal");
  if (width == 8 && length <= 0xffff) return protocol_error("length not minimal");
  if (length >> 63) return protocol_error("length too large");
  return {};
}

// Nearly every frame is a whole message, not compressed, of at most 64 KiB. False: it is not that,
// or something is wrong with it.
bool parse_ordinary(ByteView bytes, const HeaderRules& rules, FrameHeader& header) {
  if (bytes.size() < kMaxHeaderSize || rules.in_message) return false;
  const auto at = [bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const auto opcode = static_cast<Opcode>(at(0) ^ kFin);
  if (opcode != Opcode::kText && opcode != Opcode::kBinary) return false;
  const bool masked = at(1) & kMasked;
  uint64_t length = at(1) & ~kMasked;
  size_t size = 2;
  if (length == kLength16) {
    length = static_cast<uint64_t>(at(2)) << 8 | at(3);
    if (length < kLength16) return false;
    size = 4;
  } else if (length == kLength64) {
    return false;
  }
  if (masked != (rules.role == Role::kServer) || length > rules.max_data_payload) return false;
  header.payload_size = length;
  header.opcode = opcode;
  header.fin = true;
  if (masked) std::memcpy(header.mask.data(), bytes.data() + size, header.mask.size());
  header.header_size = static_cast<uint8_t>(size + (masked ? header.mask.size() : 0));
  return true;
}

}  // namespace

Result<FrameHeader, DecodeFailure> parse_frame_header(ByteView bytes, const HeaderRules& rules) {
  FrameHeader header;
  if (parse_ordinary(bytes, rules, header)) return header;
  if (bytes.empty()) return header;
  const auto first = static_cast<uint8_t>(bytes[0]);
  const bool may_compress = rules.max_compressed_payload > 0;
  if (auto ok = judge_first_byte(first, rules.in_message, may_compress); !ok)
    return std::unexpected(ok.error());
  header.opcode = static_cast<Opcode>(first & 0xf);
  header.fin = first & kFin;
  header.compressed = first & kCompressed;

  if (bytes.size() < 2) return header;
  const auto second = static_cast<uint8_t>(bytes[1]);
  if (auto ok = judge_second_byte(second, header.opcode, rules.role); !ok)
    return std::unexpected(ok.error());
  const bool masked = second & kMasked;
  const uint8_t length = second & ~kMasked;
  const size_t width = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;

  if (bytes.size() < 2 + width) return header;
  header.payload_size = width ? read_big_endian(bytes.substr(2, width)) : length;
  if (auto ok = judge_length(header.payload_size, width); !ok) return std::unexpected(ok.error());
  const uint64_t room = header.compressed ? rules.max_compressed_payload : rules.max_data_payload;
  if (!is_control(header.opcode) && header.payload_size > room)
    return std::unexpected(DecodeFailure{CloseCode::kMessageTooBig, "message too big"});

  const size_t size = 2 + width + (masked ? header.mask.size() : 0);
  if (bytes.size() < size) return header;
  if (masked) std::memcpy(header.mask.data(), bytes.data() + 2 + width, header.mask.size());
  header.header_size = static_cast<uint8_t>(size);
  return header;
}

FrameHeaderBytes::FrameHeaderBytes(Opcode opcode, uint64_t payload_size, bool fin,
                                   bool compressed) {
  bytes_[0] = static_cast<char>(static_cast<uint8_t>(opcode) | (fin ? kFin : 0) |
                                (compressed ? kCompressed : 0));
  const size_t width = payload_size < kLength16 ? 0 : payload_size <= 0xffff ? 2 : 8;
  bytes_[1] = static_cast<char>(width == 0 ? payload_size : width == 2 ? kLength16 : kLength64);
  if (width) write_big_endian(bytes_.data() + 2, width, payload_size);
  size_ = static_cast<uint8_t>(2 + width);
}

}  // namespace parley::codec::websocket
