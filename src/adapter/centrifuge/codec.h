// The seam between the protocol's logic and its encodings.
#pragma once

#include <variant>

#include "codec/centrifuge/commands.h"
#include "codec/centrifuge/replies.h"
#include "codec/fossil/encoder.h"
#include "session/adapter.h"

namespace parley::adapter::centrifuge {

namespace wire = codec::centrifuge;

using ReplyBody = std::variant<wire::ErrorReply, wire::ConnectResult, wire::SubscribeResult,
                               wire::UnsubscribeResult, wire::PublishResult, wire::PresenceResult,
                               wire::PresenceStatsResult, wire::HistoryResult, wire::RpcResult,
                               wire::RefreshResult, wire::SubRefreshResult>;
using PushBody = std::variant<wire::SubscribePush, wire::UnsubscribePush, wire::RefreshPush,
                              wire::DisconnectPush>;

// Takes the commands of a frame one by one; false leaves the rest unread.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual bool on_command(const wire::Command& command) = 0;
};

// How publications are pushed to a subscription.
struct Shape {
  bool delta = false;    // as changes where they may be; JSON data then always stands in a string
  bool compact = false;  // under a number instead of the channel's name
  bool operator==(const Shape&) const = default;
};

// What: one encoding of the protocol. Owner: a static of its factory function below; stateless,
// shared by all sessions that speak it. Shard: any. Failure: decode() says false for what is
// disconnect 3501.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual const session::Dialect& dialect(Shape shape) const = 0;
  virtual bool decode(ByteView frame, CommandSink& sink) const = 0;
  virtual void append_reply(Buffer& out, uint32_t id, const ReplyBody& body) const = 0;
  // `channel` is empty for what concerns the connection.
  virtual void append_push(Buffer& out, std::string_view channel, const PushBody& push) const = 0;
  virtual void append_ping(Buffer& out) const = 0;
  // What a client's bytes field is as the content of a publication.
  virtual hub::ContentKind kind_of(ByteView data) const = 0;
  // The bytes field for a publication's data: the data itself, or what is built of it in `room`.
  virtual ByteView content(const hub::Publication& publication, Buffer& room) const = 0;
  // Whether clients of this encoding understand pushes under a number (Shape::compact).
  virtual bool compacts() const = 0;
  // Where a delta of such fields may cut them.
  virtual codec::fossil::Cuts cuts() const = 0;
};

// JSON over text messages.
const Codec& json_codec();
// Protobuf over binary messages.
const Codec& protobuf_codec();
// For clients that only listen: a connect request comes, bare pushes go. JSON.
const Codec& one_way_codec();

// The encoding that a client asks for when it comes: JSON, unless it says Protobuf. Which type its
// messages then have makes no difference.
const Codec& codec_for(const session::Handshake& handshake);

// Commands for a session of this node, in a request of their own. Nothing: it cannot be read.
std::optional<session::UplinkMessage> read_uplink(session::MessageType type, ByteView request,
                                                  std::string_view node);

}  // namespace parley::adapter::centrifuge
