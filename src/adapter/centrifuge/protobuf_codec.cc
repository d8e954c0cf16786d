// The protocol in Protobuf.
#include "adapter/centrifuge/wire_publication.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "codec/centrifuge/protobuf_encoder.h"
#include "codec/json/validate.h"

namespace parley::adapter::centrifuge {
namespace {

using Encoder = wire::ProtobufEncoder;

class ProtobufDialect final : public session::Dialect {
 public:
  session::MessageType type() const override { return session::MessageType::kBinary; }

  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    const std::string_view name = channel.key().name;
    switch (publication.change) {
      case hub::Change::kEnter:
        return Encoder::push(out, name, wire::JoinPush{to_wire(*publication.publisher)});
      case hub::Change::kLeave:
        return Encoder::push(out, name, wire::LeavePush{to_wire(*publication.publisher)});
      case hub::Change::kUpdate:
        return;  // the protocol has no word for it
      case hub::Change::kMessage:
        break;
    }
    const LivePublication message(protobuf_codec(), channel, publication);
    Encoder::push(out, name, message.get());
  }
};

class ProtobufCodec final : public Codec {
 public:
  const session::Dialect& dialect() const override { return dialect_; }

  bool decode(ByteView frame, CommandSink& sink) const override {
    const auto pass_on = [&sink](const wire::Command& command) { return sink.on_command(command); };
    return wire::ProtobufCommandDecoder().decode(frame, pass_on) != wire::FrameEnd::kBadRequest;
  }

  void append_reply(Buffer& out, uint32_t id, const ReplyBody& body) const override {
    std::visit([&](const auto& result) { Encoder::reply(out, id, result); }, body);
  }

  void append_push(Buffer& out, std::string_view channel, const PushBody& push) const override {
    std::visit([&](const auto& body) { Encoder::push(out, channel, body); }, push);
  }

  void append_ping(Buffer& out) const override { Encoder::ping(out); }

  // The protocol has no kinds: bytes that are JSON are for JSON readers too, other bytes are not
  // text by chance and binary by chance.
  hub::ContentKind kind_of(ByteView data) const override {
    return codec::json::is_valid(data) ? hub::ContentKind::kJson : hub::ContentKind::kBinary;
  }

  // Bytes hold every kind of content as it is.
  ByteView content(const hub::Publication& publication, Buffer&) const override {
    return publication.data;
  }

 private:
  ProtobufDialect dialect_;
};

}  // namespace

const Codec& protobuf_codec() {
  static const ProtobufCodec codec;
  return codec;
}

}  // namespace parley::adapter::centrifuge
