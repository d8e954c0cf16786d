// The little of WebSocket (RFC 6455) and HTTP/1.1 that the generator and the bare loop need. They
// share no code with the server, so that they cannot share its mistakes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::bench {

inline constexpr std::array<char, 4> kMask{0x37, 0x5a, 0x21, 0x6d};

inline void append_length(std::string& out, size_t length, uint8_t masked) {
  if (length < 126) {
    out.push_back(static_cast<char>(masked | length));
    return;
  }
  const int bytes = length < 65536 ? 2 : 8;
  out.push_back(static_cast<char>(masked | (bytes == 2 ? 126 : 127)));
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(length >> shift));
}

// A text frame as a server sends it.
inline void append_server_frame(std::string& out, std::string_view payload) {
  out.push_back('\x81');
  append_length(out, payload.size(), 0);
  out.append(payload);
}

// A frame, of text unless said otherwise, as a client sends it.
inline void append_client_frame(std::string& out, std::string_view payload, uint8_t opcode = 1) {
  out.push_back(static_cast<char>(0x80 | opcode));
  append_length(out, payload.size(), 0x80);
  out.append(kMask.data(), kMask.size());
  for (size_t i = 0; i < payload.size(); ++i)
    out.push_back(static_cast<char>(payload[i] ^ kMask[i % 4]));
}

struct Frame {
  uint8_t opcode = 0;
  bool masked = false;
  size_t payload = 0;  // where it begins
  size_t end = 0;
};

// The frame at the start of `bytes`; none while it is not there whole.
inline std::optional<Frame> parse_frame(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  Frame frame{.opcode = static_cast<uint8_t>(byte(0) & 15), .masked = (byte(1) & 0x80) != 0};
  uint64_t length = byte(1) & 0x7f;
  size_t at = 2;
  if (length >= 126) {
    const size_t more = length == 126 ? 2 : 8;
    if (bytes.size() < at + more) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < more; ++i) length = length << 8 | byte(at + i);
    at += more;
  }
  if (length > bytes.size()) return std::nullopt;
  frame.payload = at + (frame.masked ? 4 : 0);
  frame.end = frame.payload + length;
  if (bytes.size() < frame.end) return std::nullopt;
  return frame;
}

// A client's wish to speak WebSocket at `path`.
inline void append_upgrade(std::string& out, std::string_view host, std::string_view path) {
  out.append("GET ").append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append(
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

// What follows `key` in `text` up to `stop`; empty when the key is not there.
inline std::string_view after(std::string_view text, std::string_view key, std::string_view stop) {
  const size_t found = text.find(key);
  if (found == std::string_view::npos) return {};
  const std::string_view rest = text.substr(found + key.size());
  return rest.substr(0, rest.find(stop));
}

struct HttpResponse {
  std::string_view line;  // the status line
  std::string_view body;
  size_t end = 0;

  bool good() const { return line.size() > 9 && line[9] == '2'; }
};

// The response with a length at the start of `bytes`; none while it is not there whole.
inline std::optional<HttpResponse> parse_response(std::string_view bytes) {
  const size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  size_t length = 0;
  for (const char c : after(bytes.substr(0, head + 2), "\r\nContent-Length: ", "\r")) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<size_t>(c - '0');
  }
  if (bytes.size() < head + 4 + length) return std::nullopt;
  return HttpResponse{.line = bytes.substr(0, bytes.find("\r\n")),
                      .body = bytes.substr(head + 4, length),
                      .end = head + 4 + length};
}

}  // namespace parley::bench
