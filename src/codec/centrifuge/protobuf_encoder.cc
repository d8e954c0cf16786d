#include "codec/centrifuge/protobuf_encoder.h"

#include <protozero/pbf_writer.hpp>

namespace parley::codec::centrifuge {
namespace {

// One message in the making. The field functions leave out what is zero.
class Writer {
 public:
  explicit Writer(Buffer& out) : out_(out), fields_(out) {}

  void text(uint32_t number, std::string_view value) {
    if (!value.empty()) fields_.add_string(number, value.data(), value.size());
  }
  void bytes(uint32_t number, ByteView value) {
    if (!value.empty()) fields_.add_bytes(number, value.data(), value.size());
  }
  void number(uint32_t number, uint64_t value) {
    if (value != 0) fields_.add_uint64(number, value);
  }
  void integer(uint32_t number, int64_t value) {
    if (value != 0) fields_.add_int64(number, value);
  }
  void zigzag(uint32_t number, int64_t value) {
    if (value != 0) fields_.add_sint64(number, value);
  }
  void flag(uint32_t number, bool value) {
    if (value) fields_.add_bool(number, true);
  }
  template <class T>
  void message(uint32_t number, const T& value);
  template <class T>
  void messages(uint32_t number, const T& values) {
    for (const auto& value : values) message(number, value);
  }

 private:
  Writer(Writer& outer, uint32_t number) : out_(outer.out_), fields_(outer.fields_, number) {}

  Buffer& out_;
  protozero::pbf_writer fields_;
};

void append(Writer& out, const ClientInfo& info) {
  out.text(1, info.user);
  out.text(2, info.client);
  out.bytes(3, info.conn_info);
  out.bytes(4, info.chan_info);
}

void append(Writer& out, const Publication::Tag& tag) {
  out.text(1, tag.first);
  out.text(2, tag.second);
}

void append(Writer& out, const Publication& publication) {
  out.bytes(4, publication.data);
  if (publication.info != nullptr) out.message(5, *publication.info);
  out.number(6, publication.offset);
  out.messages(7, publication.tags);
  out.flag(8, publication.delta);
  out.text(10, publication.channel);
  out.text(11, publication.key);
  out.flag(12, publication.removed);
  out.zigzag(13, publication.score);
  out.text(14, publication.epoch);
  out.number(16, publication.version);
}

void append(Writer& out, const SubscribeResult& result) {
  out.flag(1, result.expires);
  out.number(2, result.ttl);
  out.flag(3, result.recoverable);
  out.text(6, result.epoch);
  out.messages(7, result.publications);
  out.flag(8, result.recovered);
  out.number(9, result.offset);
  out.flag(10, result.positioned);
  out.bytes(11, result.data);
  out.flag(12, result.was_recovering);
  out.flag(13, result.delta);
  out.number(14, result.id);
  out.integer(15, result.type);
  out.integer(16, result.phase);
  out.text(17, result.cursor);
  out.messages(18, result.state);
  out.number(19, result.publish_debounce);
}

// Entries of maps have their message even if it is empty: not all readers can do without.
void append(Writer& out, const ConnectResult::Sub& sub) {
  out.text(1, sub.first);
  out.message(2, sub.second);
}

void append(Writer& out, const PresenceResult::Entry& entry) {
  out.text(1, entry.first);
  out.message(2, entry.second);
}

void append(Writer& out, const ConnectResult& result) {
  out.text(1, result.client);
  out.text(2, result.version);
  out.flag(3, result.expires);
  out.number(4, result.ttl);
  out.bytes(5, result.data);
  out.messages(6, result.subs);
  out.number(7, result.ping);
  out.flag(8, result.pong);
  out.text(9, result.session);
  out.text(10, result.node);
  out.integer(11, result.time);
}

// The same as a push, which has other numbers.
struct ConnectPush {
  const ConnectResult& result;
};

void append(Writer& out, const ConnectPush& push) {
  out.text(1, push.result.client);
  out.text(2, push.result.version);
  out.bytes(3, push.result.data);
  out.messages(4, push.result.subs);
  out.flag(5, push.result.expires);
  out.number(6, push.result.ttl);
  out.number(7, push.result.ping);
  out.flag(8, push.result.pong);
  out.text(9, push.result.session);
  out.text(10, push.result.node);
  out.integer(11, push.result.time);
}

void append(Writer& out, const PresenceResult& result) { out.messages(1, result.presence); }

void append(Writer& out, const PresenceStatsResult& result) {
  out.number(1, result.num_clients);
  out.number(2, result.num_users);
}

void append(Writer& out, const HistoryResult& result) {
  out.messages(1, result.publications);
  out.text(2, result.epoch);
  out.number(3, result.offset);
}

void append(Writer& out, const RpcResult& result) { out.bytes(1, result.data); }

void append(Writer& out, const MessagePush& message) { out.bytes(1, message.data); }

void append(Writer& out, const RefreshResult& result) {
  out.text(1, result.client);
  out.text(2, result.version);
  out.flag(3, result.expires);
  out.number(4, result.ttl);
}

void append(Writer& out, const SubRefreshResult& result) {
  out.flag(1, result.expires);
  out.number(2, result.ttl);
  out.messages(3, result.items);
}

void append(Writer& out, const ErrorReply& error) {
  out.number(1, error.code);
  out.text(2, error.message);
  out.flag(3, error.temporary);
}

void append(Writer&, const UnsubscribeResult&) {}

void append(Writer&, const PublishResult&) {}

void append(Writer& out, const JoinPush& join) { out.message(1, join.info); }

void append(Writer& out, const LeavePush& leave) { out.message(1, leave.info); }

void append(Writer& out, const UnsubscribePush& unsubscribe) {
  out.number(2, unsubscribe.code);
  out.text(3, unsubscribe.reason);
}

void append(Writer& out, const SubscribePush& subscribe) {
  out.flag(1, subscribe.recoverable);
  out.text(4, subscribe.epoch);
  out.number(5, subscribe.offset);
  out.flag(6, subscribe.positioned);
  out.bytes(7, subscribe.data);
}

void append(Writer& out, const DisconnectPush& disconnect) {
  out.number(1, disconnect.code);
  out.text(2, disconnect.reason);
  out.flag(3, disconnect.reconnect);
}

void append(Writer& out, const RefreshPush& refresh) {
  out.flag(1, refresh.expires);
  out.number(2, refresh.ttl);
}

template <class T>
struct Reply {
  uint32_t id;
  uint32_t number;
  const T& payload;
};

template <class T>
void append(Writer& out, const Reply<T>& reply) {
  out.number(1, reply.id);
  out.message(reply.number, reply.payload);
}

template <class T>
struct Push {
  uint64_t id;  // 0: the channel's name says which
  std::string_view channel;
  uint32_t number;
  const T& payload;
};

template <class T>
void append(Writer& out, const Push<T>& push) {
  out.number(1, push.id);
  out.text(2, push.channel);
  out.message(push.number, push.payload);
}

// protozero takes back an empty message; here its presence says which kind of reply this is.
template <class T>
void Writer::message(uint32_t number, const T& value) {
  const size_t before = out_.size();
  {
    Writer inner(*this, number);
    append(inner, value);
  }
  if (out_.size() == before) fields_.add_message(number, "", 0);
}

// The length is known only afterwards: room for the largest, and what it does not need is closed.
template <class T>
void append_reply(Buffer& out, uint32_t id, uint32_t number, const T& payload) {
  constexpr size_t kRoom = protozero::max_varint_length;
  const size_t start = out.size();
  out.append(kRoom, '\0');
  Writer writer(out);
  append(writer, Reply<T>{id, number, payload});
  char length[kRoom];
  const int size = protozero::add_varint_to_buffer(length, out.size() - start - kRoom);
  out.replace(start, kRoom, length, static_cast<size_t>(size));
}

template <class T>
void append_push(Buffer& out, std::string_view channel, uint32_t number, const T& payload) {
  append_reply(out, 0, 4, Push<T>{0, channel, number, payload});
}

}  // namespace

void ProtobufEncoder::reply(Buffer& out, uint32_t id, const ConnectResult& result) {
  append_reply(out, id, 5, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const SubscribeResult& result) {
  append_reply(out, id, 6, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const UnsubscribeResult& result) {
  append_reply(out, id, 7, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const PublishResult& result) {
  append_reply(out, id, 8, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const PresenceResult& result) {
  append_reply(out, id, 9, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const PresenceStatsResult& result) {
  append_reply(out, id, 10, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const HistoryResult& result) {
  append_reply(out, id, 11, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const RpcResult& result) {
  append_reply(out, id, 13, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const RefreshResult& result) {
  append_reply(out, id, 14, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const SubRefreshResult& result) {
  append_reply(out, id, 15, result);
}
void ProtobufEncoder::reply(Buffer& out, uint32_t id, const ErrorReply& error) {
  append_reply(out, id, 2, error);
}

void ProtobufEncoder::push(Buffer& out, std::string_view channel, const Publication& publication) {
  // One growth at most for a publication that holds nothing unusual.
  constexpr size_t kAround = 128;
  out.reserve(out.size() + channel.size() + publication.data.size() + kAround);
  append_push(out, channel, 4, publication);
}
void ProtobufEncoder::push_numbered(Buffer& out, uint64_t id, const Publication& publication) {
  append_reply(out, 0, 4, Push<Publication>{id, {}, 4, publication});
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const JoinPush& join) {
  append_push(out, channel, 5, join);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const LeavePush& leave) {
  append_push(out, channel, 6, leave);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel,
                           const UnsubscribePush& unsubscribe) {
  append_push(out, channel, 7, unsubscribe);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const MessagePush& message) {
  append_push(out, channel, 8, message);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const SubscribePush& subscribe) {
  append_push(out, channel, 9, subscribe);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const ConnectResult& connect) {
  append_push(out, channel, 10, ConnectPush{connect});
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel,
                           const DisconnectPush& disconnect) {
  append_push(out, channel, 11, disconnect);
}
void ProtobufEncoder::push(Buffer& out, std::string_view channel, const RefreshPush& refresh) {
  append_push(out, channel, 12, refresh);
}

void ProtobufEncoder::ping(Buffer& out) { out.push_back('\0'); }

}  // namespace parley::codec::centrifuge
