// The constants of RFC 6455 and the IANA registry of close codes.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::codec::websocket {

// RFC 6455 5.2. Control opcodes have bit 3 set.
enum class Opcode : uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

constexpr bool is_control(Opcode opcode) { return static_cast<uint8_t>(opcode) & 0x8; }

// RFC 6455 7.4.1 and the registry.
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoStatus = 1005,  // never on the wire: the peer's close frame had no code
  kAbnormal = 1006,  // never on the wire: the connection ended without a close frame
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kMandatoryExtension = 1010,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kBadGateway = 1014,
  kTlsHandshake = 1015,  // never on the wire
};

// Whether a close frame may carry `code`: registered codes, 3000-3999 (libraries) and 4000-4999
// (applications).
constexpr bool is_wire_close_code(uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

// Which end we are: a server takes only masked frames, a client only unmasked ones (5.1).
enum class Role : uint8_t { kServer, kClient };

constexpr uint64_t kMaxControlPayload = 125;

// The rest of an empty stored block: ends every compressed message, and is never sent (RFC 7692
// 7.2.1).
constexpr std::string_view kDeflateTail("\x00\x00\xff\xff", 4);

}  // namespace parley::codec::websocket
