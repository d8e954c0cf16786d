// What the server sends, the same for every encoding of the protocol: views that borrow for the
// length of one encoder call. Zero means "not set"; what must be written even then is said there.
// A bytes field (ByteView) holds a JSON value for the JSON encoding.
#pragma once

#include <span>
#include <utility>

#include "base/bytes.h"
#include "codec/centrifuge/codes.h"

namespace parley::codec::centrifuge {

struct ClientInfo {
  std::string_view user;    // always written
  std::string_view client;  // always written
  ByteView conn_info;
  ByteView chan_info;
};

struct Publication {
  using Tag = std::pair<std::string_view, std::string_view>;

  ByteView data;
  // The subscription negotiated delta: JSON clients get `data`, full or delta, as a string.
  bool data_as_string = false;
  const ClientInfo* info = nullptr;
  uint64_t offset = 0;
  std::span<const Tag> tags;
  bool delta = false;        // data is a delta
  std::string_view channel;  // only where it differs from the subscribed one
  std::string_view key;
  bool removed = false;
  int64_t score = 0;
  std::string_view epoch;  // only on the live publication with offset 1
  uint64_t version = 0;
};

struct SubscribeResult {
  bool expires = false;
  uint32_t ttl = 0;
  bool recoverable = false;
  std::string_view epoch;
  std::span<const Publication> publications;
  bool recovered = false;
  uint64_t offset = 0;
  bool positioned = false;
  ByteView data;
  bool was_recovering = false;
  bool delta = false;
  uint64_t id = 0;  // short name of the channel in pushes; at most 2^53
  int32_t type = 0;
  int32_t phase = 0;
  std::string_view cursor;
  std::span<const Publication> state;
  uint32_t publish_debounce = 0;
};

// The reply; also the push of one-way transports.
struct ConnectResult {
  using Sub = std::pair<std::string_view, SubscribeResult>;  // by channel

  std::string_view client;
  std::string_view version;
  bool expires = false;
  uint32_t ttl = 0;
  ByteView data;
  std::span<const Sub> subs;
  uint32_t ping = 0;
  bool pong = false;
  std::string_view session;
  std::string_view node;
  int64_t time = 0;
};

struct UnsubscribeResult {};

struct PublishResult {};

struct PresenceResult {
  using Entry = std::pair<std::string_view, ClientInfo>;  // by client id

  std::span<const Entry> presence;  // always written
};

struct PresenceStatsResult {
  uint32_t num_clients = 0;  // always written
  uint32_t num_users = 0;    // always written
};

struct HistoryResult {
  std::span<const Publication> publications;  // always written
  std::string_view epoch;                     // always written
  uint64_t offset = 0;                        // always written
};

struct RpcResult {
  ByteView data;
};

struct RefreshResult {
  std::string_view client;
  std::string_view version;
  bool expires = false;
  uint32_t ttl = 0;
};

struct SubRefreshResult {
  bool expires = false;
  uint32_t ttl = 0;
  std::span<const Publication> items;
};

// Free-form, because applications send codes of their own.
struct ErrorReply {
  uint32_t code = 0;
  std::string_view message;
  bool temporary = false;
};

constexpr ErrorReply to_reply(ErrorCode code) {
  const ErrorRow& row = row_of(code);
  return {static_cast<uint32_t>(row.code), row.message, row.temporary};
}

struct JoinPush {
  ClientInfo info;
};

struct LeavePush {
  ClientInfo info;
};

struct UnsubscribePush {
  uint32_t code = 0;
  std::string_view reason;
};

constexpr UnsubscribePush to_push(UnsubscribeCode code) {
  const UnsubscribeRow& row = row_of(code);
  return {static_cast<uint32_t>(row.code), row.reason};
}

struct SubscribePush {
  bool recoverable = false;
  std::string_view epoch;
  uint64_t offset = 0;
  bool positioned = false;
  ByteView data;
};

struct MessagePush {
  ByteView data;
};

struct DisconnectPush {
  uint32_t code = 0;
  std::string_view reason;
  bool reconnect = false;
};

struct RefreshPush {
  bool expires = false;
  uint32_t ttl = 0;
};

}  // namespace parley::codec::centrifuge
