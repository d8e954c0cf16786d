// Centrifuge replies and pushes in JSON.
#pragma once

#include "codec/centrifuge/replies.h"

namespace parley::codec::centrifuge {

// Each function appends one JSON object, without the line break that joins objects in a frame.
// Fields that are zero are left out except where replies.h says so; strings that are not UTF-8 get
// U+FFFD; embedded JSON must be valid and loses its line breaks. No state, no failure, and no
// allocation but the Buffer's growth. Keys stand in the order of the protocol's schema.
struct JsonEncoder {
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

  static void ping(Buffer& out);
};

}  // namespace parley::codec::centrifuge
