// What others speak, to be measured beside them: nchan's WebSocket subscribers and the protocol of
// NATS.
#include "bench/dialects.h"
#include "bench/websocket_reading.h"
#include "bench/wire.h"

namespace parley::bench {
namespace {

// A frame is a message as it was posted.
class NchanSubscriber final : public Dialect {
 public:
  explicit NchanSubscriber(const Door& door) : door_(door) {}

  void open(Peer& peer, Buffer& out) override {
    append_upgrade(out, door_.host, "/sub/" + peer.channel);
  }

  size_t read(Peer& peer, ByteView bytes, Inbox& inbox) override {
    size_t taken = 0;
    if (!peer.ready) {
      const auto end = read_upgrade(bytes, inbox);
      if (!end || *end == 0) return 0;
      taken = *end;
      peer.ready = true;
    }
    return taken + read_frames(bytes.substr(taken), inbox, [&](ByteView text, size_t frame_bytes) {
             inbox.deliver(peer, text, frame_bytes);
           });
  }

  void publish(ByteView, ByteView, Buffer&) override {}

 private:
  Door door_;
};

// Lines, and a payload behind MSG: https://docs.nats.io/reference/reference-protocols/nats-protocol
class NatsDialect final : public Dialect {
 public:
  explicit NatsDialect(const Door& door) : door_(door) {}

  void open(Peer& peer, Buffer& out) override {
    out.append(R"(CONNECT {"verbose":false,"pedantic":false,"lang":"c","version":"1")");
    if (!door_.token.empty()) out.append(R"(,"auth_token":")").append(door_.token).append("\"");
    out.append("}\r\n");
    if (!peer.channel.empty()) out.append("SUB ").append(peer.channel).append(" 1\r\n");
    out.append("PING\r\n");
  }

  size_t read(Peer& peer, ByteView bytes, Inbox& inbox) override {
    size_t taken = 0;
    for (size_t end = bytes.find("\r\n"); end != ByteView::npos; end = bytes.find("\r\n")) {
      const ByteView line = bytes.substr(0, end);
      size_t whole = end + 2;
      if (line.starts_with("MSG ")) {
        size_t length = 0;
        parse_uint(line.substr(line.rfind(' ') + 1), length);
        whole += length + 2;
        if (bytes.size() < whole) break;
        inbox.deliver(peer, bytes.substr(end + 2, length), whole);
      } else if (line == "PONG") {
        peer.ready = true;
      } else if (line == "PING") {
        inbox.answer.append("PONG\r\n");
      } else if (line.starts_with("-ERR")) {
        inbox.refuse(line);
      }
      bytes.remove_prefix(whole);
      taken += whole;
    }
    return taken;
  }

  void publish(ByteView channel, ByteView data, Buffer& out) override {
    out.append("PUB ").append(channel).append(" ");
    append_uint(out, data.size());
    out.append("\r\n").append(data).append("\r\n");
  }

 private:
  Door door_;
};

}  // namespace

std::unique_ptr<Dialect> make_subscriber(Protocol protocol, const Door& door) {
  switch (protocol) {
    case Protocol::kCentrifuge:
      break;
    case Protocol::kEventSource:
      return make_event_source(door);
    case Protocol::kHttpStream:
    case Protocol::kSse:
      return make_push(door, protocol == Protocol::kSse);
    case Protocol::kNchan:
      return std::make_unique<NchanSubscriber>(door);
    case Protocol::kNchanSse:
      return make_nchan_event_source(door);
    case Protocol::kNats:
      return std::make_unique<NatsDialect>(door);
  }
  return make_centrifuge(door);
}

std::unique_ptr<Dialect> make_publisher(Protocol protocol, const Door& door) {
  switch (protocol) {
    case Protocol::kCentrifuge:
    case Protocol::kHttpStream:
    case Protocol::kSse:
    case Protocol::kEventSource:
      break;
    case Protocol::kNchan:
    case Protocol::kNchanSse:
      return make_nchan_publisher(door);
    case Protocol::kNats:
      return std::make_unique<NatsDialect>(door);
  }
  return make_centrifuge(door);
}

}  // namespace parley::bench
