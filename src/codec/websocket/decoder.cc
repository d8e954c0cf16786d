#include "codec/websocket/decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

namespace parley::codec::websocket {
namespace {

ByteView view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

std::unexpected<DecodeFailure> invalid_utf8() {
  return std::unexpected(DecodeFailure{CloseCode::kInvalidPayload, "text is not valid UTF-8"});
}

// A compressed message may be longer than what comes of it, by what deflate adds to noise.
constexpr uint64_t compressed_room(uint64_t message_bytes) {
  return message_bytes + message_bytes / 64 + 64;
}

// The room for a message of `needed` bytes that comes in parts, of which there may be `limit`. Room
// takes memory where bytes have come to lie in it, but what a buffer outgrew takes all of its own
// until the allocator has given it back: so from some size on there are one or two more steps, and
// less than 64 KiB is outgrown on the way to any limit.
size_t room_for(size_t needed, size_t limit) {
  constexpr size_t kDoubles = 16 * 1024;
  constexpr size_t kLarge = 32 * 1024;
  constexpr size_t kOneStep = 64 * 1024;
  if (needed <= kDoubles) return std::min(std::bit_ceil(needed), limit);
  return needed <= kLarge && limit > kOneStep ? kLarge : limit;
}

constexpr uint32_t to_limit(size_t bytes) {
  return static_cast<uint32_t>(std::min<size_t>(bytes, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

// What must be remembered between two calls: part of a header, part of a frame, part of a message.
struct Decoder::Partial {
  bool idle() const { return header_size == 0 && !in_frame && !in_message; }

  FrameHeader frame;       // while in_frame
  uint64_t remaining = 0;  // payload bytes of it still to come
  // While in_message. A string ends in a NUL, which at the usual limit takes a page of its own.
  std::vector<char> message;
  Buffer control;  // payload of a control frame that came in parts
  std::array<char, kMaxHeaderSize> header;
  uint32_t empty_fragments = 0;  // of the message
  uint8_t header_size = 0;
  bool in_frame = false;
  bool in_message = false;
  bool text = false;
  bool compressed = false;
  Utf8Stream utf8;
};

Decoder::Decoder(Limits limits, Role role, const Inflation* inflation)
    : inflation_(inflation),
      max_message_bytes_(to_limit(std::min(limits.message_bytes, limits.first_message_bytes))),
      max_empty_fragments_(limits.empty_fragments),
      role_(role),
      first_(limits.first_message_bytes < limits.message_bytes ||
             (inflation != nullptr && limits.first_message_bytes < inflation->message_bytes)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Decoder::Partial& Decoder::partial() {
  if (!partial_) partial_ = std::make_unique<Partial>();
  return *partial_;
}

void Decoder::release_if_idle() {
  if (partial_ && partial_->idle()) partial_.reset();
}

void Decoder::raise_limit(size_t message_bytes) {
  max_message_bytes_ = std::max(max_message_bytes_, to_limit(message_bytes));
  first_ = false;
}

size_t Decoder::inflated_limit() const {
  const size_t limit = inflation_->message_bytes;
  return first_ ? std::min<size_t>(limit, max_message_bytes_) : limit;
}

size_t Decoder::held_bytes() const {
  if (!partial_) return 0;
  return sizeof(Partial) + partial_->message.capacity() + partial_->control.capacity();
}

HeaderRules Decoder::header_rules() const {
  const uint64_t compressed = inflation_ != nullptr ? compressed_room(max_message_bytes_) : 0;
  if (!partial_ || !partial_->in_message) return {role_, false, max_message_bytes_, compressed};
  const uint64_t room = partial_->compressed ? compressed : max_message_bytes_;
  return {role_, true, room - partial_->message.size(), compressed};
}

Result<size_t, DecodeFailure> Decoder::decode(std::span<char> in, MessageSink& sink) {
  paused_ = false;
  size_t at = 0;
  while (at < in.size() && !ended_ && !paused_) {
    const bool in_frame = partial_ && partial_->in_frame;
    const auto rest = in.subspan(at);
    const Taken taken = in_frame ? continue_frame(rest, sink) : begin_frame(rest, sink);
    if (!taken) {
      ended_ = true;
      partial_.reset();
      return taken;
    }
    at += *taken;
  }
  return ended_ ? in.size() : at;
}

Decoder::Taken Decoder::begin_frame(std::span<char> in, MessageSink& sink) {
  const size_t held = partial_ ? partial_->header_size : 0;
  ByteView bytes = view(in);
  if (held > 0) {
    const size_t more = std::min(in.size(), kMaxHeaderSize - held);
    std::memcpy(partial_->header.data() + held, in.data(), more);
    bytes = {partial_->header.data(), held + more};
  }
  const auto parsed = parse_frame_header(bytes, header_rules());
  if (!parsed) return std::unexpected(parsed.error());
  const FrameHeader& header = *parsed;
  if (header.header_size == 0) {
    Partial& part = partial();
    if (held == 0) std::ranges::copy(bytes, part.header.begin());
    part.header_size = static_cast<uint8_t>(bytes.size());
    return in.size();
  }
  if (held > 0) partial_->header_size = 0;

  const size_t taken = header.header_size - held;
  if (in.size() - taken >= header.payload_size) {
    const auto payload = in.subspan(taken, header.payload_size);
    if (auto ok = take_whole_frame(header, payload, sink); !ok) return std::unexpected(ok.error());
    return taken + payload.size();
  }
  Partial& part = partial();
  part.frame = header;
  part.remaining = header.payload_size;
  part.in_frame = true;
  const Taken begun = continue_frame(in.subspan(taken), sink);
  if (!begun) return begun;
  return taken + *begun;
}

Decoder::Judged Decoder::take_whole_frame(const FrameHeader& header, std::span<char> payload,
                                          MessageSink& sink) {
  if (role_ == Role::kServer) apply_mask(payload, header.mask, 0);
  if (is_control(header.opcode)) {
    release_if_idle();
    return take_control(header.opcode, view(payload), sink);
  }
  if (!header.fin || header.opcode == Opcode::kContinuation) {
    if (auto ok = extend_message(header, view(payload)); !ok) return ok;
    return end_data_frame(header.fin, sink);
  }
  release_if_idle();
  const bool text = header.opcode == Opcode::kText;
  if (header.compressed) return inflate(text, view(payload), sink);
  if (text && !is_valid_utf8(view(payload))) return invalid_utf8();
  sink.on_message(text, view(payload));
  return {};
}

Decoder::Taken Decoder::continue_frame(std::span<char> in, MessageSink& sink) {
  Partial& part = *partial_;
  const auto payload = in.first(std::min<uint64_t>(in.size(), part.remaining));
  if (role_ == Role::kServer)
    apply_mask(payload, part.frame.mask, part.frame.payload_size - part.remaining);
  part.remaining -= payload.size();
  part.in_frame = part.remaining > 0;

  if (!is_control(part.frame.opcode)) {
    if (auto ok = extend_message(part.frame, view(payload)); !ok)
      return std::unexpected(ok.error());
    if (part.in_frame) return payload.size();
    if (auto ok = end_data_frame(part.frame.fin, sink); !ok) return std::unexpected(ok.error());
    return payload.size();
  }
  part.control.append(view(payload));
  if (part.in_frame) return payload.size();
  const Buffer control = std::exchange(part.control, {});
  const Opcode opcode = part.frame.opcode;
  release_if_idle();
  if (auto ok = take_control(opcode, control, sink); !ok) return std::unexpected(ok.error());
  return payload.size();
}

// Appends to the open message, or opens one. Text is judged byte by byte as it comes, unless it is
// compressed.
Decoder::Judged Decoder::extend_message(const FrameHeader& header, ByteView payload) {
  Partial& part = partial();
  if (!part.in_message) {
    part.in_message = true;
    part.text = header.opcode == Opcode::kText;
    part.compressed = header.compressed;
    part.utf8 = {};
    part.empty_fragments = 0;
  }
  if (header.payload_size == 0 && ++part.empty_fragments > max_empty_fragments_)
    return std::unexpected(DecodeFailure{CloseCode::kPolicyViolation, "too many empty fragments"});
  if (part.text && !part.compressed && !part.utf8.feed(payload)) return invalid_utf8();
  const size_t size = part.message.size() + payload.size();
  if (size > part.message.capacity())
    part.message.reserve(
        room_for(size, part.compressed ? compressed_room(max_message_bytes_) : max_message_bytes_));
  part.message.insert(part.message.end(), payload.begin(), payload.end());
  return {};
}

Decoder::Judged Decoder::end_data_frame(bool fin, MessageSink& sink) {
  if (!fin) {
    sink.on_fragment();
    return {};
  }
  Partial& part = *partial_;
  const bool compressed = part.compressed;
  if (part.text && !compressed && !part.utf8.complete()) return invalid_utf8();
  const std::vector<char> gathered = std::exchange(part.message, {});
  const ByteView message(gathered.data(), gathered.size());
  const bool text = part.text;
  part.in_message = false;
  release_if_idle();
  if (compressed) return inflate(text, message, sink);
  sink.on_message(text, message);
  return {};
}

// The whole payload of a compressed message.
Decoder::Judged Decoder::inflate(bool text, ByteView payload, MessageSink& sink) {
  Buffer message;
  const auto inflated = inflation_->inflater.inflate(payload, inflated_limit(), message);
  if (!inflated) {
    const bool too_big = inflated.error() == InflateFault::kTooBig;
    return std::unexpected(
        too_big ? DecodeFailure{CloseCode::kMessageTooBig, "message too big", true}
                : DecodeFailure{CloseCode::kInvalidPayload, "compressed data are not valid", true});
  }
  if (text && !is_valid_utf8(message)) return invalid_utf8();
  sink.on_inflated(payload.size(), message.size());
  sink.on_message(text, message);
  return {};
}

Decoder::Judged Decoder::take_control(Opcode opcode, ByteView payload, MessageSink& sink) {
  if (opcode == Opcode::kClose) return take_close(payload, sink);
  if (opcode == Opcode::kPing) {
    sink.on_ping(payload);
  } else {
    sink.on_pong(payload);
  }
  return {};
}

Decoder::Judged Decoder::take_close(ByteView payload, MessageSink& sink) {
  auto code = static_cast<uint16_t>(CloseCode::kNoStatus);
  if (!payload.empty()) {
    if (payload.size() == 1)
      return std::unexpected(DecodeFailure{CloseCode::kProtocolError, "close frame of one byte"});
    code = static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                                 static_cast<uint8_t>(payload[1]));
    if (!is_wire_close_code(code))
      return std::unexpected(DecodeFailure{CloseCode::kProtocolError, "invalid close code"});
    payload.remove_prefix(2);
    if (!is_valid_utf8(payload)) return invalid_utf8();
  }
  ended_ = true;
  // `payload` never lies in the partial message, which is of no more use.
  partial_.reset();
  sink.on_close(code, payload);
  return {};
}

}  // namespace parley::codec::websocket
