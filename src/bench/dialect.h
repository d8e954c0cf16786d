// What a protocol says on the wire, for the generator's side of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "bench/ledger.h"
#include "bench/plan.h"

namespace parley::bench {

// What every connection of a load knows of the server and of what it may say there.
struct Door {
  std::string host;     // as the Host header names it
  std::string token;    // of the connection; "": none
  std::string api_key;  // of the server API; "": none
};

// Where one connection stands in its protocol.
struct Peer {
  std::string channel;  // "": it does not subscribe
  uint32_t subscriber = UINT32_MAX;
  uint8_t step = 0;  // the dialect's own
  bool ready = false;
};

// What a dialect has read of one connection in one go.
struct Inbox {
  Ledger& ledger;
  uint64_t now_ns = 0;
  Buffer& answer;  // goes back to the server
  uint64_t replies = 0;
  std::string refusal;  // what the server refused, in its words; "": nothing

  void deliver(const Peer& peer, ByteView message, size_t frame_bytes) {
    ledger.deliver(peer.subscriber, message, now_ns, frame_bytes);
  }
  void refuse(ByteView what) { refusal.assign(what.substr(0, 300)); }
};

// What: one protocol's messages. Owner: one Load, which shares it between connections of a kind. No
// IO. Failure: a refusal in the Inbox.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // What a new connection says first. Sets peer.ready where the server has nothing to answer.
  virtual void open(Peer& peer, Buffer& out) = 0;
  // Takes whole messages off the front of `bytes` and returns how many bytes they were. Sets
  // peer.ready once the connection is up and, with a channel, subscribed.
  virtual size_t read(Peer& peer, ByteView bytes, Inbox& inbox) = 0;
  // Publishes; what comes in batches waits for finish().
  virtual void publish(ByteView channel, ByteView data, Buffer& out) = 0;
  virtual void finish(Buffer& /*out*/) {}
};

std::unique_ptr<Dialect> make_subscriber(Protocol protocol, const Door& door);
std::unique_ptr<Dialect> make_publisher(Protocol protocol, const Door& door);
// Publishes through the server API; batch > 1: so many commands in each request.
std::unique_ptr<Dialect> make_api_publisher(const Door& door, uint32_t batch);

}  // namespace parley::bench
