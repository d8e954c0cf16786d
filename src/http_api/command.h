// The commands of the server API as values, and how they are read from JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/json/reader.h"
#include "http_api/api_error.h"
#include "hub/control.h"
#include "hub/publication.h"

namespace parley::http_api {

struct Method;
class ResultEncoder;

// What one request may hold. Above: error 107.
struct CommandLimits {
  size_t channels = 1'000;     // of a broadcast
  size_t commands = 1'000;     // of a batch
  size_t operations = 10'000;  // of a request: each channel of each command counts
  size_t tags = 64;
  size_t idempotency_key_bytes = 256;
  size_t version_epoch_bytes = 256;
  size_t whitelist = 1'000;    // of a disconnect
  size_t users = 1'000;        // of a command on statuses
  size_t connections = 1'000;  // in one answer
  size_t id_bytes = 1'024;     // of a user or token that is remembered
};

struct PublishFields {
  Buffer data;
  hub::ContentKind kind = hub::ContentKind::kJson;
  hub::Tags tags;
  std::string idempotency_key;
  bool skip_history = false;
  bool delta = false;
  uint64_t version = 0;
  std::string version_epoch;
};

struct HistoryFields {
  int64_t limit = 0;  // below 0: all
  bool reverse = false;
  bool has_since = false;
  uint64_t since_offset = 0;
  std::string since_epoch;
};

// How one channel of a command went.
struct Outcome {
  ApiError error = ApiError::kNone;
  Buffer result;  // encoded
};

// One command. A value; the fields that its method does not have keep their defaults.
struct Command {
  const Method* method = nullptr;
  const ResultEncoder* results = nullptr;  // how it is answered
  ApiError error = ApiError::kNone;        // decided while reading: the hub is not asked
  std::vector<std::string> channels;  // one operation each; a single "" where a method has none
  PublishFields publish;
  HistoryFields history;
  std::shared_ptr<const hub::Control> control;            // of the methods on connections
  std::shared_ptr<const std::vector<std::string>> users;  // of those on statuses
  bool filtered = false;  // connections: by an expression, which nobody here understands
  std::string pattern;
  Buffer ticket_order;            // of create_ticket, as it came
  uint64_t id = 0;                // in the legacy format: echoed in the answer
  std::vector<Outcome> outcomes;  // by channel
};

// Everything that one HTTP request asks for.
struct CommandList {
  bool batch = false;
  bool legacy = false;  // answers stand one behind the other, with the commands' ids
  bool parallel = false;
  ApiError error = ApiError::kNone;  // of the request as a whole
  std::vector<Command> commands;
};

// Each reads the object of one method. False: not a JSON object of the right types.
using DecodeCommand = bool (*)(codec::json::Reader&, const CommandLimits&, Command&);
bool decode_publish(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_broadcast(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_history(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_channel_only(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_channels(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_nothing(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_subscribe(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_unsubscribe(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_disconnect(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_refresh(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_create_ticket(codec::json::Reader& reader, const CommandLimits& limits, Command& out);

bool decode_connections(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_users(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_block_user(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_unblock_user(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_revoke_token(codec::json::Reader& reader, const CommandLimits& limits, Command& out);
bool decode_invalidate_user_tokens(codec::json::Reader& reader, const CommandLimits& limits,
                                   Command& out);

// Reads the body of POST /api/<method>; `method` may be "batch", or "" for the legacy format.
// Nothing: undecodable (400). Keys that occur twice make a body undecodable; unknown keys are
// skipped; null stands for "not given".
std::optional<CommandList> decode_request(std::string_view method, ByteView body,
                                          const CommandLimits& limits,
                                          codec::json::Scratch& scratch);
// The legacy format: {"method":"publish","params":{..},"id":1}, one or more behind each other.
std::optional<CommandList> decode_legacy(ByteView body, const CommandLimits& limits,
                                         codec::json::Scratch& scratch);

}  // namespace parley::http_api
