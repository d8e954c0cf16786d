// What to load a server with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace parley::bench {

enum class Scenario : uint8_t {
  kConnect,   // many connections at once
  kFanOut,    // one channel, many subscribers
  kChannels,  // many channels, some subscribers each
  kEcho,      // everybody publishes to itself
  kIngest,    // one subscriber, pipelined publishers
  kApi,       // publishes through the server API
  kIdle,      // what a connection that does nothing costs in memory
  kSlow,      // some subscribers never read
};

// The Centrifuge protocol over WebSocket, http_stream and sse; EventSource of ours and of nchan;
// nchan over WebSocket; NATS.
enum class Protocol : uint8_t {
  kCentrifuge,
  kHttpStream,
  kSse,
  kEventSource,
  kNchan,
  kNchanSse,
  kNats
};

// Their names, as the command line has them, in the order of the values.
const std::vector<std::string>& scenario_names();
const std::vector<std::string>& protocol_names();

enum class Pace : uint8_t {
  kRate,        // so many messages a second, over all channels
  kWindow,      // so many messages in flight, over all channels
  kOwnWindow,   // ... of each publisher
  kOneRequest,  // each publisher waits for the answer to its request, all for deliveries
};

struct Plan {
  Protocol protocol = Protocol::kCentrifuge;
  std::string prefix = "bench";  // of the channels' names
  std::string token;             // of the connections; "": none
  std::string api_key;           // "": none
  uint32_t channels = 1;
  uint32_t subscribers = 1;  // of each channel
  uint32_t slow = 0;         // subscribers besides, which never read; over the channels in turn
  uint32_t publishers = 1;
  bool echo = false;  // the subscribers publish, each to its own channel
  bool api = false;   // the publishers use the server API
  uint32_t batch = 1;
  Pace pace = Pace::kRate;
  double rate = 20;
  uint32_t window = 1;
  uint32_t payload_bytes = 128;
  uint32_t at_once = 128;  // connections that are being made at a time
  bool spin = false;       // never sleep: a server on this machine need not wake the load
};

// What was asked for; what was not has the scenario's own value.
struct Wishes {
  std::string scenario;
  std::string protocol = "centrifuge";
  std::string url;
  std::string prefix = "bench";
  std::string token;
  std::string api_key;
  std::optional<uint32_t> connections, channels, subscribers, slow, publishers, window, batch;
  std::optional<double> rate, seconds, warm;
  uint64_t count = 0;  // of messages; 0: as many as there is time for
  uint32_t payload_bytes = 128;
  uint32_t at_once = 128;
  bool spin = false;
  int pid = 0;  // of the server, to be watched; 0: none
};

struct Request {
  Scenario scenario = Scenario::kFanOut;
  Plan plan;
  std::string url;
  double seconds = 2;
  double warm_seconds = 0;  // before that, not measured
  uint64_t count = 0;
  int pid = 0;
};

// Fails when the wishes make no sense together.
Result<Request> to_request(const Wishes& wishes);

}  // namespace parley::bench
