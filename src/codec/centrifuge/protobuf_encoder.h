// Centrifuge replies and pushes in Protobuf.
#pragma once

#include "codec/centrifuge/replies.h"

namespace parley::codec::centrifuge {

// Each function appends one reply behind its length, which is all that a frame consists of. Fields
// that are zero are left out; bytes fields hold any bytes; strings must be UTF-8, for many readers
// refuse others. No state, no failure, and no allocation but the Buffer's growth. Fields stand in
// the order of their numbers.
struct ProtobufEncoder {
  static void reply(Buffer& out, uint32_t id, const ConnectResult& result);
  static void reply(Buffer& out, uint32_t id, const SubscribeResult& result);
  static void reply(Buffer& out, uint32_t id, const UnsubscribeResult& result);
  static void reply(Buffer& out, uint32_t id, const PublishResult& result);
  static void reply(Buffer& out, uint32_t id, const PresenceResult& result);
  static void reply(Buffer& out, uint32_t id, const PresenceStatsResult& result);
  static void reply(Buffer& out, uint32_t id, const HistoryResult& result);
  static void reply(Buffer& out, uint32_t id, const RpcResult& result);
  static void reply(Buffer& out, uint32_t id, const RefreshResult& result);
  static void reply(Buffer& out, uint32_t id, const SubRefreshResult& result);
  static void reply(Buffer& out, uint32_t id, const ErrorReply& error);

  // `channel` is empty for what concerns the connection.
  static void push(Buffer& out, std::string_view channel, const Publication& publication);
  // ... to a subscription that knows the channel by its SubscribeResult::id.
  static void push_numbered(Buffer& out, uint64_t id, const Publication& publication);
  static void push(Buffer& out, std::string_view channel, const JoinPush& join);
  static void push(Buffer& out, std::string_view channel, const LeavePush& leave);
  static void push(Buffer& out, std::string_view channel, const UnsubscribePush& unsubscribe);
  static void push(Buffer& out, std::string_view channel, const SubscribePush& subscribe);
  static void push(Buffer& out, std::string_view channel, const MessagePush& message);
  static void push(Buffer& out, std::string_view channel, const ConnectResult& connect);
  static void push(Buffer& out, std::string_view channel, const DisconnectPush& disconnect);
  static void push(Buffer& out, std::string_view channel, const RefreshPush& refresh);

  // One zero byte: a reply of length 0.
  static void ping(Buffer& out);
};

}  // namespace parley::codec::centrifuge
