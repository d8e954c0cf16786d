// How messages are marked on simulated lines, and what clients make of them.
#pragma once

#include <cstring>
#include <optional>
#include <string>

#include "codec/fossil/decoder.h"
#include "session/transport_link.h"

namespace parley::sim {

// Each message behind its length, so that it can be found again however the bytes were cut.
class MarkedFraming final : public session::Framing {
 public:
  void frame(session::MessageType, Buffer& out, size_t start) const override {
    const auto size = static_cast<uint32_t>(out.size() - start);
    char header[sizeof size];
    std::memcpy(header, &size, sizeof size);
    out.insert(start, header, sizeof size);
  }
};

inline const session::Framing& marked_framing() {
  static const MarkedFraming framing;
  return framing;
}

// Takes the next whole message off.
inline std::optional<std::string> take_marked(std::string& bytes) {
  uint32_t size;
  if (bytes.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, bytes.data(), sizeof size);
  if (bytes.size() - sizeof size < size) return std::nullopt;
  std::string message = bytes.substr(sizeof size, size);
  bytes.erase(0, sizeof size + size);
  return message;
}

// An event stream marks its messages itself.
class BareFraming final : public session::Framing {
 public:
  void frame(session::MessageType, Buffer&, size_t) const override {}
};

inline const session::Framing& bare_framing() {
  static const BareFraming framing;
  return framing;
}

inline bool apply_delta(const std::string& base, const std::string& delta, std::string& out) {
  return codec::fossil::decode(base, delta, 1 << 20, out).has_value();
}

}  // namespace parley::sim
