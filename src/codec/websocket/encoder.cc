#include "codec/websocket/encoder.h"

#include "base/utf8.h"

namespace parley::codec::websocket {

FrameHeaderBytes frame_header(Opcode opcode, uint64_t payload_size, bool fin, bool compressed) {
  return {opcode, payload_size, fin, compressed};
}

void append_frame_header(Buffer& out, Opcode opcode, uint64_t payload_size, bool fin) {
  const FrameHeaderBytes header(opcode, payload_size, fin);
  const ByteView bytes = header.view();
  // One by one, as they were written: what was written in two parts is slow to read as one.
  if (bytes.size() != 2) return void(out.append(bytes));
  out.push_back(bytes[0]);
  out.push_back(bytes[1]);
}

void append_frame(Buffer& out, Opcode opcode, ByteView payload, bool fin) {
  append_frame_header(out, opcode, payload.size(), fin);
  out.append(payload);
}

void append_close(Buffer& out, uint16_t code, std::string_view reason) {
  if (!is_wire_close_code(code)) return append_frame_header(out, Opcode::kClose, 0);
  if (!is_valid_utf8(reason)) reason = {};
  reason = truncate_utf8(reason, kMaxControlPayload - sizeof code);
  append_frame_header(out, Opcode::kClose, sizeof code + reason.size());
  out.push_back(static_cast<char>(code >> 8));
  out.push_back(static_cast<char>(code & 0xff));
  out.append(reason);
}

void append_close(Buffer& out, CloseCode code, std::string_view reason) {
  append_close(out, static_cast<uint16_t>(code), reason);
}

void append_masked_frame(Buffer& out, Opcode opcode, ByteView payload, uint32_t mask, bool fin,
                         bool compressed) {
  const size_t start = out.size();
  out.append(frame_header(opcode, payload.size(), fin, compressed).view());
  out[start + 1] = static_cast<char>(out[start + 1] | 0x80);
  const MaskKey key = {static_cast<char>(mask >> 24), static_cast<char>(mask >> 16),
                       static_cast<char>(mask >> 8), static_cast<char>(mask)};
  out.append(key.data(), key.size());
  const size_t body = out.size();
  out.append(payload);
  apply_mask(std::span(out).subspan(body), key, 0);
}

}  // namespace parley::codec::websocket
