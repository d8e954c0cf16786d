// The protocol in Protobuf.
#include "adapter/centrifuge/push_dialect.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "codec/centrifuge/protobuf_encoder.h"
#include "codec/json/validate.h"

namespace parley::adapter::centrifuge {
namespace {

using Encoder = wire::ProtobufEncoder;

class ProtobufCodec final : public Codec {
 public:
  ProtobufCodec() : dialects_(*this, session::MessageType::kBinary) {}

  const session::Dialect& dialect(Shape shape) const override { return dialects_.of(shape); }

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

  // The JavaScript SDK compares 64-bit numbers as objects where the package `long` is installed, so
  // that it drops every such push.
  bool compacts() const override { return false; }
  codec::fossil::Cuts cuts() const override { return codec::fossil::Cuts::kAnywhere; }

 private:
  PushDialects<Encoder> dialects_;
};

}  // namespace

const Codec& protobuf_codec() {
  static const ProtobufCodec codec;
  return codec;
}

}  // namespace parley::adapter::centrifuge
