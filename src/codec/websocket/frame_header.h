// The header of one frame (RFC 6455 5.2).
#pragma once

#include <array>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/websocket/mask.h"
#include "codec/websocket/protocol.h"

namespace parley::codec::websocket {

// The peer broke the protocol: answer with a close frame of this code and end the connection.
struct DecodeFailure {
  CloseCode code;
  const char* reason;      // a literal; fits a close frame
  bool inflating = false;  // found while a compressed message was inflated
};

struct FrameHeader {
  uint64_t payload_size = 0;
  MaskKey mask{};
  Opcode opcode = Opcode::kContinuation;
  bool fin = false;
  bool compressed = false;  // the message that begins here is (RFC 7692 6)
  uint8_t header_size = 0;  // 0: the bytes given do not hold a whole header yet
};

// What the next header is judged by.
struct HeaderRules {
  Role role = Role::kServer;
  bool in_message = false;        // a fragmented message is open
  uint64_t max_data_payload = 0;  // room left in the message
  // ... if it begins here and is compressed; 0: that has not been agreed on.
  uint64_t max_compressed_payload = 0;
};

constexpr size_t kMaxHeaderSize = 14;

// Reads a header from the beginning of `bytes`. Each byte is judged as soon as it is there, so a
// bad header fails before it is complete.
Result<FrameHeader, DecodeFailure> parse_frame_header(ByteView bytes, const HeaderRules& rules);

// The header of an unmasked frame, to put in front of an already encoded payload.
class FrameHeaderBytes {
 public:
  FrameHeaderBytes(Opcode opcode, uint64_t payload_size, bool fin, bool compressed = false);
  ByteView view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 10> bytes_;
  uint8_t size_;
};

}  // namespace parley::codec::websocket
