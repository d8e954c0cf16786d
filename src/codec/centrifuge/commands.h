// What a client sends, the same for every encoding of the protocol. All views borrow from the frame
// or from the decoder and live until its next decode() call. A field that the client left out is
// zero; a bytes field that it left out has data() == nullptr.
#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace parley::codec::centrifuge {

// A condition on a publication's tags. Not checked for sense here: that is the filter's compiler.
struct FilterNode {
  std::string_view op;  // empty: a leaf
  std::string_view key;
  std::string_view cmp;
  std::string_view val;
  std::vector<std::string_view> vals;
  std::vector<FilterNode> nodes;
};

struct SubscribeRequest {
  static constexpr int64_t kFlagCompaction = 1;         // the client can do channel compaction
  static constexpr int64_t kFlagRejectUnrecovered = 2;  // error 112 instead of subscribing

  std::string_view channel;
  std::string_view token;
  std::string_view epoch;
  std::string_view delta;
  std::string_view cursor;
  ByteView data;
  uint64_t offset = 0;
  int64_t flag = 0;
  int32_t type = 0;   // 0 stream, 1-3 map kinds, 4 shared poll
  int32_t phase = 0;  // 0 live, 1 stream, 2 state
  int32_t limit = 0;
  bool recover = false;
  bool positioned = false;
  bool recoverable = false;
  bool join_leave = false;
  bool asc = false;
  std::optional<FilterNode> tf;
};

struct ConnectRequest {
  std::string_view token;
  std::string_view name;
  std::string_view version;
  std::string_view dict;
  std::string_view profile;
  ByteView data;
  int64_t flag = 0;
  std::vector<std::pair<std::string_view, SubscribeRequest>> subs;  // by channel
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

struct UnsubscribeRequest {
  std::string_view channel;
};

struct PublishRequest {
  std::string_view channel;
  std::string_view key;
  ByteView data;
  int32_t type = 0;  // 0 regular, 1 map
  bool removed = false;
};

struct PresenceRequest {
  std::string_view channel;
};

struct PresenceStatsRequest {
  std::string_view channel;
};

struct StreamPosition {
  uint64_t offset = 0;
  std::string_view epoch;
};

struct HistoryRequest {
  std::string_view channel;
  std::optional<StreamPosition> since;
  int32_t limit = 0;
  bool reverse = false;
};

struct RpcRequest {
  std::string_view method;
  ByteView data;
};

struct SendRequest {
  ByteView data;
};

struct RefreshRequest {
  std::string_view token;
};

struct KeyedItem {
  std::string_view key;
  uint64_t version = 0;
};

struct TrackBatch {
  std::string_view signature;
  std::vector<KeyedItem> items;
};

struct SubRefreshRequest {
  std::string_view channel;
  std::string_view token;
  int32_t type = 0;  // 0 refresh, 1 track, 2 untrack
  std::vector<TrackBatch> track;
  std::vector<std::string_view> untrack;
};

// No id and nothing known inside: the answer to a ping.
struct Pong {};

// An id but nothing inside that the server knows; ends as disconnect 3501.
struct UnknownRequest {};

// One command. A request other than `send` with id 0 breaks the protocol (disconnect 3501); so does
// everything about order and state. Both are the adapter's to judge.
struct Command {
  uint32_t id = 0;
  std::variant<Pong, UnknownRequest, ConnectRequest, SubscribeRequest, UnsubscribeRequest,
               PublishRequest, PresenceRequest, PresenceStatsRequest, HistoryRequest, SendRequest,
               RpcRequest, RefreshRequest, SubRefreshRequest>
      request;
};

// Commands of a client whose transport goes one way, sent beside it. In JSON the commands stand in
// a string.
struct EmulationRequest {
  std::string_view node;
  std::string_view session;
  ByteView data;  // a frame
};

}  // namespace parley::codec::centrifuge
