// What a Centrifuge server says in JSON, as a client reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::sim {

struct WirePublication {
  std::string data;  // JSON; of a delta subscription, what the string holds
  uint64_t offset = 0;
  std::string epoch;
  bool delta = false;
  bool string = false;
};

struct WireSubscribed {
  std::string epoch;
  uint64_t offset = 0;
  bool recovered = false;
  bool was_recovering = false;
  bool positioned = false;
  bool recoverable = false;
  bool delta = false;
  std::vector<WirePublication> publications;
};

// One message: a reply (id), a push (channel), or a ping (neither).
struct WireFrame {
  uint32_t id = 0;
  uint32_t error = 0;
  std::string what;  // "connect", "subscribe", ..., of a push "pub", "join", "unsubscribe", ...
  std::string channel;
  std::string client;           // connect
  WireSubscribed subscribed;    // subscribe; of history only epoch, offset and publications
  WirePublication publication;  // pub
  uint32_t code = 0;            // unsubscribe, disconnect
  bool ping() const { return id == 0 && what.empty(); }
};

// Nothing when it is not what a server may say.
std::optional<WireFrame> read_frame(std::string_view text);

}  // namespace parley::sim
