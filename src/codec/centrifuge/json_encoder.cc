#include "codec/centrifuge/json_encoder.h"

#include <charconv>

#include "codec/centrifuge/plain_push.h"
#include "codec/json/write.h"

namespace parley::codec::centrifuge {
namespace {

// One JSON object in the making. The field functions leave out what is zero. `name` is the key as
// it stands in the text: with a comma in front, quoted and with its colon.
class Object {
 public:
  explicit Object(Buffer& out) : out_(out) {}

  Buffer& key(std::string_view name) {
    out_.append(name);
    if (first_) out_[out_.size() - name.size()] = '{';
    first_ = false;
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) json::append_string(key(name), value);
  }
  void number(std::string_view name, uint64_t value) {
    if (value != 0) append_uint(key(name), value);
  }
  void integer(std::string_view name, int64_t value) {
    if (value != 0) json::append_int(key(name), value);
  }
  void flag(std::string_view name, bool value) {
    if (value) key(name).append("true");
  }
  void raw(std::string_view name, ByteView json) {
    if (!json.empty()) json::append_compact(key(name), json);
  }
  void end() { out_.append(first_ ? "{}" : "}"); }

 private:
  Buffer& out_;
  bool first_ = true;
};

void append(Buffer& out, const ClientInfo& info);
void append(Buffer& out, const Publication& publication);
void append(Buffer& out, const SubscribeResult& result);
void append(Buffer& out, std::string_view text) { json::append_string(out, text); }

template <class T>
void append_list(Buffer& out, std::span<const T> items) {
  out.push_back('[');
  bool first = true;
  for (const T& item : items) {
    if (!first) out.push_back(',');
    first = false;
    append(out, item);
  }
  out.push_back(']');
}

template <class T>
void append_map(Buffer& out, std::span<const std::pair<std::string_view, T>> entries) {
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : entries) {
    if (!first) out.push_back(',');
    first = false;
    json::append_string(out, name);
    out.push_back(':');
    append(out, value);
  }
  out.push_back('}');
}

void append(Buffer& out, const ClientInfo& info) {
  Object object(out);
  json::append_string(object.key(R"(,"user":)"), info.user);
  json::append_string(object.key(R"(,"client":)"), info.client);
  object.raw(R"(,"conn_info":)", info.conn_info);
  object.raw(R"(,"chan_info":)", info.chan_info);
  object.end();
}

void append(Buffer& out, const Publication& publication) {
  Object object(out);
  if (publication.data_as_string) {
    object.text(R"(,"data":)", publication.data);
  } else {
    object.raw(R"(,"data":)", publication.data);
  }
  if (publication.info != nullptr) append(object.key(R"(,"info":)"), *publication.info);
  object.number(R"(,"offset":)", publication.offset);
  if (!publication.tags.empty()) append_map(object.key(R"(,"tags":)"), publication.tags);
  object.flag(R"(,"delta":)", publication.delta);
  object.text(R"(,"channel":)", publication.channel);
  object.text(R"(,"key":)", publication.key);
  object.flag(R"(,"removed":)", publication.removed);
  object.integer(R"(,"score":)", publication.score);
  object.text(R"(,"epoch":)", publication.epoch);
  object.number(R"(,"version":)", publication.version);
  object.end();
}

void append(Buffer& out, const SubscribeResult& result) {
  Object object(out);
  object.flag(R"(,"expires":)", result.expires);
  object.number(R"(,"ttl":)", result.ttl);
  object.flag(R"(,"recoverable":)", result.recoverable);
  object.text(R"(,"epoch":)", result.epoch);
  if (!result.publications.empty())
    append_list(object.key(R"(,"publications":)"), result.publications);
  object.flag(R"(,"recovered":)", result.recovered);
  object.number(R"(,"offset":)", result.offset);
  object.flag(R"(,"positioned":)", result.positioned);
  object.raw(R"(,"data":)", result.data);
  object.flag(R"(,"was_recovering":)", result.was_recovering);
  object.flag(R"(,"delta":)", result.delta);
  object.number(R"(,"id":)", result.id);
  object.integer(R"(,"type":)", result.type);
  object.integer(R"(,"phase":)", result.phase);
  object.text(R"(,"cursor":)", result.cursor);
  if (!result.state.empty()) append_list(object.key(R"(,"state":)"), result.state);
  object.number(R"(,"publish_debounce":)", result.publish_debounce);
  object.end();
}

void append(Buffer& out, const ConnectResult& result) {
  Object object(out);
  object.text(R"(,"client":)", result.client);
  object.text(R"(,"version":)", result.version);
  object.flag(R"(,"expires":)", result.expires);
  object.number(R"(,"ttl":)", result.ttl);
  object.raw(R"(,"data":)", result.data);
  if (!result.subs.empty()) append_map(object.key(R"(,"subs":)"), result.subs);
  object.number(R"(,"ping":)", result.ping);
  object.flag(R"(,"pong":)", result.pong);
  object.text(R"(,"session":)", result.session);
  object.text(R"(,"node":)", result.node);
  object.integer(R"(,"time":)", result.time);
  object.end();
}

void append(Buffer& out, const PresenceResult& result) {
  Object object(out);
  append_map(object.key(R"(,"presence":)"), result.presence);
  object.end();
}

void append(Buffer& out, const PresenceStatsResult& result) {
  Object object(out);
  append_uint(object.key(R"(,"num_clients":)"), result.num_clients);
  append_uint(object.key(R"(,"num_users":)"), result.num_users);
  object.end();
}

void append(Buffer& out, const HistoryResult& result) {
  Object object(out);
  append_list(object.key(R"(,"publications":)"), result.publications);
  json::append_string(object.key(R"(,"epoch":)"), result.epoch);
  append_uint(object.key(R"(,"offset":)"), result.offset);
  object.end();
}

void append_data(Buffer& out, ByteView data) {
  Object object(out);
  object.raw(R"(,"data":)", data);
  object.end();
}

void append(Buffer& out, const RpcResult& result) { append_data(out, result.data); }

void append(Buffer& out, const MessagePush& message) { append_data(out, message.data); }

void append(Buffer& out, const RefreshResult& result) {
  Object object(out);
  object.text(R"(,"client":)", result.client);
  object.text(R"(,"version":)", result.version);
  object.flag(R"(,"expires":)", result.expires);
  object.number(R"(,"ttl":)", result.ttl);
  object.end();
}

void append(Buffer& out, const SubRefreshResult& result) {
  Object object(out);
  object.flag(R"(,"expires":)", result.expires);
  object.number(R"(,"ttl":)", result.ttl);
  if (!result.items.empty()) append_list(object.key(R"(,"items":)"), result.items);
  object.end();
}

void append(Buffer& out, const ErrorReply& error) {
  Object object(out);
  object.number(R"(,"code":)", error.code);
  object.text(R"(,"message":)", error.message);
  object.flag(R"(,"temporary":)", error.temporary);
  object.end();
}

void append(Buffer& out, const UnsubscribeResult&) { out.append("{}"); }

void append(Buffer& out, const PublishResult&) { out.append("{}"); }

void append_info(Buffer& out, const ClientInfo& info) {
  Object object(out);
  append(object.key(R"(,"info":)"), info);
  object.end();
}

void append(Buffer& out, const JoinPush& join) { append_info(out, join.info); }

void append(Buffer& out, const LeavePush& leave) { append_info(out, leave.info); }

void append(Buffer& out, const UnsubscribePush& unsubscribe) {
  Object object(out);
  object.number(R"(,"code":)", unsubscribe.code);
  object.text(R"(,"reason":)", unsubscribe.reason);
  object.end();
}

void append(Buffer& out, const SubscribePush& subscribe) {
  Object object(out);
  object.flag(R"(,"recoverable":)", subscribe.recoverable);
  object.text(R"(,"epoch":)", subscribe.epoch);
  object.number(R"(,"offset":)", subscribe.offset);
  object.flag(R"(,"positioned":)", subscribe.positioned);
  object.raw(R"(,"data":)", subscribe.data);
  object.end();
}

void append(Buffer& out, const DisconnectPush& disconnect) {
  Object object(out);
  object.number(R"(,"code":)", disconnect.code);
  object.text(R"(,"reason":)", disconnect.reason);
  object.flag(R"(,"reconnect":)", disconnect.reconnect);
  object.end();
}

void append(Buffer& out, const RefreshPush& refresh) {
  Object object(out);
  object.flag(R"(,"expires":)", refresh.expires);
  object.number(R"(,"ttl":)", refresh.ttl);
  object.end();
}

// Returns the byte behind it.
char* put(char* at, std::string_view text) { return at + text.copy(at, text.size()); }

template <class T>
void append_reply(Buffer& out, uint32_t id, std::string_view name, const T& payload) {
  Object object(out);
  object.number(R"(,"id":)", id);
  append(object.key(name), payload);
  object.end();
}

template <class T>
void append_push(Buffer& out, std::string_view channel, std::string_view name, const T& payload) {
  out.append(R"({"push":)");
  Object object(out);
  object.text(R"(,"channel":)", channel);
  append(object.key(name), payload);
  object.end();
  out.push_back('}');
}

}  // namespace

void JsonEncoder::reply(Buffer& out, uint32_t id, const ConnectResult& result) {
  append_reply(out, id, R"(,"connect":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const SubscribeResult& result) {
  append_reply(out, id, R"(,"subscribe":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const UnsubscribeResult& result) {
  append_reply(out, id, R"(,"unsubscribe":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const PublishResult& result) {
  // Nothing can be in it.
  if (id == 0) return append_reply(out, id, R"(,"publish":)", result);
  constexpr std::string_view kFront = R"({"id":)";
  constexpr std::string_view kBack = R"(,"publish":{}})";
  char text[kFront.size() + 10 + kBack.size()];
  char* end = put(text, kFront);
  end = std::to_chars(end, end + 10, id).ptr;
  end = put(end, kBack);
  out.append(text, end);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const PresenceResult& result) {
  append_reply(out, id, R"(,"presence":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const PresenceStatsResult& result) {
  append_reply(out, id, R"(,"presence_stats":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const HistoryResult& result) {
  append_reply(out, id, R"(,"history":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const RpcResult& result) {
  append_reply(out, id, R"(,"rpc":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const RefreshResult& result) {
  append_reply(out, id, R"(,"refresh":)", result);
}
void JsonEncoder::reply(Buffer& out, uint32_t id, const SubRefreshResult& result) {
  append_reply(out, id, R"(,"sub_refresh":)", result);
}
// In one piece where it is one of ours: whoever sends faster than it is served is refused as fast.
void JsonEncoder::reply(Buffer& out, uint32_t id, const ErrorReply& error) {
  constexpr std::string_view kFront = R"({"id":)";
  constexpr std::string_view kCode = R"(,"error":{"code":)";
  constexpr std::string_view kMessage = R"(,"message":")";
  constexpr std::string_view kBack = R"("}})";
  constexpr std::string_view kTemporary = R"(","temporary":true}})";
  constexpr size_t kLongest = 48;
  const std::string_view message = error.message;
  if (id == 0 || error.code == 0 || message.empty() || message.size() > kLongest ||
      !json::is_plain(message))
    return append_reply(out, id, R"(,"error":)", error);
  char
      text[kFront.size() + 10 + kCode.size() + 10 + kMessage.size() + kLongest + kTemporary.size()];
  char* end = put(text, kFront);
  end = std::to_chars(end, end + 10, id).ptr;
  end = put(end, kCode);
  end = std::to_chars(end, end + 10, error.code).ptr;
  end = put(end, kMessage);
  end = put(end, message);
  end = put(end, error.temporary ? kTemporary : kBack);
  out.append(text, end);
}

void JsonEncoder::push(Buffer& out, std::string_view channel, const Publication& publication) {
  if (append_plain_push(out, channel, publication)) return;
  // One growth at most for a publication that holds nothing unusual.
  constexpr size_t kFixedPart = 128;
  out.reserve(out.size() + channel.size() + publication.data.size() + kFixedPart);
  append_push(out, channel, R"(,"pub":)", publication);
}
void JsonEncoder::push_numbered(Buffer& out, uint64_t id, const Publication& publication) {
  out.append(R"({"push":)");
  Object object(out);
  object.number(R"(,"id":)", id);
  append(object.key(R"(,"pub":)"), publication);
  object.end();
  out.push_back('}');
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const JoinPush& join) {
  append_push(out, channel, R"(,"join":)", join);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const LeavePush& leave) {
  append_push(out, channel, R"(,"leave":)", leave);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const UnsubscribePush& unsubscribe) {
  append_push(out, channel, R"(,"unsubscribe":)", unsubscribe);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const SubscribePush& subscribe) {
  append_push(out, channel, R"(,"subscribe":)", subscribe);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const MessagePush& message) {
  append_push(out, channel, R"(,"message":)", message);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const ConnectResult& connect) {
  append_push(out, channel, R"(,"connect":)", connect);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const DisconnectPush& disconnect) {
  append_push(out, channel, R"(,"disconnect":)", disconnect);
}
void JsonEncoder::push(Buffer& out, std::string_view channel, const RefreshPush& refresh) {
  append_push(out, channel, R"(,"refresh":)", refresh);
}

void JsonEncoder::ping(Buffer& out) { out.append("{}"); }

}  // namespace parley::codec::centrifuge
