// What a session needs of the transport that carries it at the moment. Implemented by transports;
// borrowed by the session.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "session/end_reason.h"

namespace parley::session {

enum class MessageType : uint8_t { kText, kBinary };

// How a transport marks the border of a message. Shared, and no frame depends on one before it, so
// that one framed message serves all subscribers.
class Framing {
 public:
  virtual ~Framing() = default;
  // Turns the bytes of `out` from `start` on, one whole message, into one frame.
  virtual void frame(MessageType type, Buffer& out, size_t start) const = 0;
  // Appends the message as one frame.
  virtual void append(MessageType type, Buffer& out, ByteView message) const {
    const size_t start = out.size();
    out.append(message);
    frame(type, out, start);
  }
};

// Where a session's bytes to write go. False from append(): something had to stay behind; stop.
class SliceSink {
 public:
  virtual ~SliceSink() = default;
  virtual bool append(ByteView bytes) = 0;
};

// What the client showed when it came: valid during Adapter::on_open only.
struct Handshake {
  std::string_view transport;    // "websocket", "sse": for people and metrics
  std::string_view path;         // percent-decoded where the route has a variable part
  std::string_view query;        // raw
  std::string_view subprotocol;  // what both sides agreed on; empty: nothing
  bool binary = false;           // the client asks for messages of bytes, not of text
  bool one_way = false;          // ... and will send no other message than its first
  // Who shows it may send into the session (session/uplinks.h): the client needs it. Empty: the
  // transport carries messages both ways, or one way only.
  std::string_view session{};
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view peer;      // address, for people
  uint64_t peer_network = 0;  // ... and its network's keyed hash, for limits; 0: none count

  // The first header of that name, compared without case; "" when missing.
  std::string_view header(std::string_view name) const;
};

class TransportLink {
 public:
  virtual ~TransportLink() = default;
  virtual const Framing& framing() const = 0;
  // The session has something to gather. `reply`: somebody waits for it.
  virtual void wake(bool reply) = 0;
  // The session has ended: send what gather() still gives, then the protocol's farewell, and close.
  // Called at most once.
  virtual void end(EndReason reason, const EndCode& code) = 0;
  // While commands cannot be served, the peer's bytes stay where they are.
  virtual void pause_input(bool paused) = 0;
  // It is known whose session this is: a client's messages may be as long from here on as they may
  // be at all.
  virtual void admit() {}
  // The client's side was sent something and has confirmed nothing for so long: it cannot be
  // reached. A transport that cannot know says no.
  virtual bool unheard(Duration) const { return false; }
};

}  // namespace parley::session
