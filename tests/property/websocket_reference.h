// A plain receiver of WebSocket frames, byte by byte and straight from RFC 6455, to compare the
// decoder with. Shares nothing with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::testing {

// The UTF-8 of RFC 3629 4, a character at a time.
class PlainUtf8 {
 public:
  // False: no text goes on like this.
  bool take(uint8_t byte) {
    if (due_ == 0) {
      first_ = byte;
      due_ = byte < 0x80 ? 0 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      at_second_ = due_ > 0;
      return byte < 0x80 || (byte >= 0xc2 && byte <= 0xf4);
    }
    --due_;
    if (byte < 0x80 || byte > 0xbf) return false;
    if (!at_second_) return true;
    at_second_ = false;
    if (first_ == 0xe0) return byte >= 0xa0;
    if (first_ == 0xed) return byte <= 0x9f;
    if (first_ == 0xf0) return byte >= 0x90;
    if (first_ == 0xf4) return byte <= 0x8f;
    return true;
  }
  bool whole() const { return due_ == 0; }

 private:
  uint8_t first_ = 0;
  int due_ = 0;
  bool at_second_ = false;
};

inline bool plainly_utf8(std::string_view text) {
  PlainUtf8 state;
  for (const char c : text)
    if (!state.take(static_cast<uint8_t>(c))) return false;
  return state.whole();
}

// Tells what it finds in the words of the decoder's TraceSink.
class PlainReceiver {
 public:
  PlainReceiver(uint64_t most, bool server) : most_(most), server_(server) {}

  void take(std::string_view bytes) {
    for (const char c : bytes)
      if (!ended_) take_byte(static_cast<uint8_t>(c));
  }
  const std::vector<std::string>& events() const { return events_; }

 private:
  void take_byte(uint8_t byte) {
    if (in_payload_) return take_payload(byte);
    header_.push_back(byte);
    if (header_.size() == 1) return judge_first();
    if (header_.size() == 2) judge_second();
    if (!ended_ && header_.size() == 2 + length_bytes_) judge_length();
    if (ended_ || header_.size() < 2 + length_bytes_ + (server_ ? 4u : 0u)) return;
    begin_payload();
  }

  // 5.2: FIN, RSV1-3, opcode. 5.4: fragments. 5.5: control frames are whole.
  void judge_first() {
    fin_ = header_[0] >= 128;
    opcode_ = header_[0] % 16;
    if (header_[0] / 16 % 8 != 0) return fail(1002);
    if (opcode_ > 10 || (opcode_ > 2 && opcode_ < 8)) return fail(1002);
    if (opcode_ >= 8 && !fin_) return fail(1002);
    if (opcode_ == 0 && !in_message_) return fail(1002);
    if ((opcode_ == 1 || opcode_ == 2) && in_message_) return fail(1002);
  }

  // 5.1: only clients mask, and they always do.
  void judge_second() {
    if ((header_[1] >= 128) != server_) return fail(1002);
    length_ = header_[1] % 128;
    if (opcode_ >= 8 && length_ > 125) return fail(1002);
    length_bytes_ = length_ == 126 ? 2 : length_ == 127 ? 8 : 0;
  }

  // 5.2: the shortest form, and below 2^63.
  void judge_length() {
    if (length_bytes_ > 0) length_ = 0;
    for (size_t i = 0; i < length_bytes_; ++i) length_ = length_ * 256 + header_[2 + i];
    if (length_bytes_ == 2 && length_ < 126) return fail(1002);
    if (length_bytes_ == 8 && length_ < 65536) return fail(1002);
    if (length_ >= (uint64_t{1} << 63)) return fail(1002);
    if (opcode_ < 8 && length_ > most_ - message_.size()) return fail(1009);
  }

  void begin_payload() {
    in_payload_ = true;
    control_.clear();
    taken_ = 0;
    if (opcode_ == 1 || opcode_ == 2) {
      in_message_ = true;
      text_ = opcode_ == 1;
      utf8_ = {};
      message_.clear();
    }
    if (length_ == 0) end_frame();
  }

  // 5.3: masking. 8.1: text fails as soon as it cannot be UTF-8 any more.
  void take_payload(uint8_t byte) {
    if (server_) byte ^= header_[2 + length_bytes_ + taken_ % 4];
    ++taken_;
    (opcode_ >= 8 ? control_ : message_).push_back(static_cast<char>(byte));
    if (opcode_ < 8 && text_ && !utf8_.take(byte)) return fail(1007);
    if (taken_ == length_) end_frame();
  }

  void end_frame() {
    in_payload_ = false;
    header_.clear();
    length_bytes_ = 0;
    if (opcode_ == 8) return end_close();
    if (opcode_ == 9) return tell("ping", control_);
    if (opcode_ == 10) return tell("pong", control_);
    if (!fin_) return tell("fragment", "");
    if (text_ && !utf8_.whole()) return fail(1007);
    in_message_ = false;
    tell(text_ ? "text" : "bin", message_);
    message_.clear();
  }

  // 5.5.1, 7.4: no body, or a code that may be sent and a reason in UTF-8.
  void end_close() {
    if (control_.empty()) {
      tell("close", "1005,");
      ended_ = true;
      return;
    }
    if (control_.size() == 1) return fail(1002);
    const int code = static_cast<uint8_t>(control_[0]) * 256 + static_cast<uint8_t>(control_[1]);
    const bool registered = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    if (!registered && (code < 3000 || code > 4999)) return fail(1002);
    if (!plainly_utf8(std::string_view(control_).substr(2))) return fail(1007);
    tell("close", std::to_string(code) + "," + control_.substr(2));
    ended_ = true;
  }

  void tell(const char* what, const std::string& payload) {
    events_.push_back(std::string(what) + "(" + payload + ")");
  }
  void fail(int code) {
    tell("fail", std::to_string(code));
    ended_ = true;
  }

  uint64_t most_;
  bool server_;
  std::vector<uint8_t> header_;
  std::string message_, control_;
  PlainUtf8 utf8_;
  uint64_t length_ = 0, taken_ = 0;
  size_t length_bytes_ = 0;
  int opcode_ = 0;
  bool fin_ = false, text_ = false, in_message_ = false, in_payload_ = false, ended_ = false;
  std::vector<std::string> events_;
};

}  // namespace parley::testing
