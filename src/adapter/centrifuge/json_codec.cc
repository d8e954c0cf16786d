// The protocol in JSON.
#include "adapter/centrifuge/push_dialect.h"
#include "base/base64.h"
#include "base/check.h"
#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/json_encoder.h"
#include "codec/json/write.h"

namespace parley::adapter::centrifuge {
namespace {

class JsonCodec : public Codec {
 public:
  JsonCodec() : dialects_(*this, session::MessageType::kText) {}

  const session::Dialect& dialect(Shape shape) const override { return dialects_.of(shape); }

  // One decoder for all connections of a thread: it keeps nothing between frames but its memory,
  // and handling a command never decodes another frame.
  bool decode(ByteView frame, CommandSink& sink) const override {
    static thread_local wire::JsonCommandDecoder decoder;
    const auto pass_on = [&sink](const wire::Command& command) { return sink.on_command(command); };
    return decoder.decode(frame, pass_on) != wire::FrameEnd::kBadRequest;
  }

  void append_reply(Buffer& out, uint32_t id, const ReplyBody& body) const override {
    std::visit([&](const auto& result) { wire::JsonEncoder::reply(out, id, result); }, body);
  }

  void append_push(Buffer& out, std::string_view channel, const PushBody& push) const override {
    std::visit([&](const auto& body) { wire::JsonEncoder::push(out, channel, body); }, push);
  }

  void append_ping(Buffer& out) const override { wire::JsonEncoder::ping(out); }

  hub::ContentKind kind_of(ByteView) const override { return hub::ContentKind::kJson; }

  // JSON as it is, text as a JSON string, binary as {"base64":"..."}.
  ByteView content(const hub::Publication& publication, Buffer& room) const override {
    switch (publication.kind) {
      case hub::ContentKind::kJson:
        return publication.data;
      case hub::ContentKind::kText:
        codec::json::append_string(room, publication.data);
        return room;
      case hub::ContentKind::kBinary:
        room = R"({"base64":")";
        append_base64(room, publication.data);
        room += R"("})";
        return room;
    }
    return {};
  }

  bool compacts() const override { return true; }
  codec::fossil::Cuts cuts() const override { return codec::fossil::Cuts::kAtCharacters; }

 private:
  PushDialects<wire::JsonEncoder> dialects_;
};

// What one-way clients get: the push of a reply without the reply around it.
struct BarePushEncoder {
  template <class... Args>
  static void push(Buffer& out, Args&&... args) {
    const size_t start = out.size();
    wire::JsonEncoder::push(out, std::forward<Args>(args)...);
    unwrap(out, start);
  }
  static void push_numbered(Buffer& out, uint64_t id, const wire::Publication& publication) {
    const size_t start = out.size();
    wire::JsonEncoder::push_numbered(out, id, publication);
    unwrap(out, start);
  }

 private:
  static void unwrap(Buffer& out, size_t start) {
    constexpr std::string_view kFront = R"({"push":)";
    CHECK(out.compare(start, kFront.size(), kFront) == 0);
    out.erase(start, kFront.size());
    out.pop_back();
  }
};

class OneWayCodec final : public JsonCodec {
 public:
  OneWayCodec() : dialects_(*this, session::MessageType::kText) {}

  const session::Dialect& dialect(Shape shape) const override { return dialects_.of(shape); }

  bool decode(ByteView frame, CommandSink& sink) const override {
    static thread_local wire::JsonCommandDecoder decoder;
    wire::Command command{.id = 1};
    if (!decoder.decode(frame, command.request.emplace<wire::ConnectRequest>())) return false;
    sink.on_command(command);
    return true;
  }

  // The only reply is that to the connect; refusals end the session instead.
  void append_reply(Buffer& out, uint32_t, const ReplyBody& body) const override {
    const auto* connected = std::get_if<wire::ConnectResult>(&body);
    CHECK(connected != nullptr);
    BarePushEncoder::push(out, "", *connected);
  }

  void append_push(Buffer& out, std::string_view channel, const PushBody& push) const override {
    std::visit([&](const auto& body) { BarePushEncoder::push(out, channel, body); }, push);
  }

 private:
  PushDialects<BarePushEncoder> dialects_;
};

}  // namespace

const Codec& one_way_codec() {
  static const OneWayCodec codec;
  return codec;
}

const Codec& json_codec() {
  static const JsonCodec codec;
  return codec;
}

}  // namespace parley::adapter::centrifuge
