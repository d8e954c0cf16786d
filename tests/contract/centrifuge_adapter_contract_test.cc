// Centrifuge under the adapter contract, in JSON and in Protobuf.
#include <algorithm>

#include "adapter/centrifuge/adapter.h"
#include "base/base64.h"
#include "codec/json/write.h"
#include "tests/contract/adapter_rig.h"
#include "tests/support/centrifuge_protobuf.h"

namespace parley::testing {
namespace {

using adapter::centrifuge::CentrifugeFactory;

class CentrifugeClient final : public ProtocolClient {
 public:
  CentrifugeClient(const CentrifugeFactory& factory, bool protobuf)
      : factory_(factory), protobuf_(protobuf) {}

  // A position is shown as "offset epoch".
  void open(SessionWorld& world, const std::string& channel, const std::string& resume) override {
    link_ = &world.open(
        factory_, {.path = "/connection/websocket", .query = protobuf_ ? "format=protobuf" : ""});
    std::string frame = "{\"id\":1,\"connect\":{}}\n";
    frame += R"({"id":2,"subscribe":{"join_leave":true,"channel":")" + channel + "\"";
    if (!resume.empty()) {
      const size_t space = resume.find(' ');
      frame += R"(,"recover":true,"offset":)" + resume.substr(0, space) + R"(,"epoch":")" +
               resume.substr(space + 1) + "\"";
    }
    send(frame + "}}");
  }

  void publish(const std::string& channel, const std::string& data) override {
    send(R"({"id":3,"publish":{"channel":")" + channel + R"(","data":)" + data + "}}");
  }

  std::vector<Heard> hear() override {
    heard_.clear();
    for (const WireMessage& message : link_->take())
      hear(protobuf_ ? FromProtobuf::frame(message.bytes) : message.bytes);
    return std::move(heard_);
  }
  FakeClient& link() override { return *link_; }

 private:
  void send(const std::string& frame) { link_->send(protobuf_ ? ToProtobuf::frame(frame) : frame); }

  void hear(const std::string& text) {
    if (text.starts_with(R"({"id":2,"subscribe":)")) {
      epoch_ = field(text, R"("epoch":")", '"');
      const bool missed_some = text.contains("was_recovering") && !text.contains("recovered\":");
      const size_t list = text.find(R"("publications":[)");
      const size_t end = list == text.npos ? 0 : text.find(']', list);
      heard_.push_back({.kind = Heard::Kind::kSubscribed, .resume = position(text.substr(end))});
      if (missed_some) heard_.push_back({.kind = Heard::Kind::kGap});
      for (size_t at = list; at < end; ++at)
        if (text.compare(at, 8, R"({"data":)") == 0) hear_publication(text.substr(at, end - at));
    } else if (text.contains(R"("pub":)")) {
      hear_publication(text);
    } else if (text.contains(R"("unsubscribe":)")) {
      heard_.push_back({.kind = Heard::Kind::kGap});
    } else {
      heard_.push_back({.kind = kind_of_other(text)});
    }
  }

  static Heard::Kind kind_of_other(std::string_view text) {
    if (text.starts_with(R"({"id":3,"publish":)")) return Heard::Kind::kPublished;
    if (text.contains(R"("error":)")) return Heard::Kind::kRefused;
    if (text.contains(R"("join":)")) return Heard::Kind::kJoin;
    return text.contains(R"("leave":)") ? Heard::Kind::kLeave : Heard::Kind::kOther;
  }

  void hear_publication(const std::string& text) {
    // What a publication has behind its data.
    const size_t at = text.find(R"("data":)") + 7;
    const size_t end = std::min(text.find(R"(,"info":)", at), text.find(R"(,"offset":)", at));
    heard_.push_back({.kind = Heard::Kind::kMessage,
                      .data = text.substr(at, end - at),
                      .resume = position(text)});
  }

  std::string position(const std::string& text) const {
    const std::string offset = field(text, R"("offset":)", ',');
    return std::to_string(offset.empty() ? 0 : std::stoull(offset)) + " " + epoch_;
  }

  static std::string field(const std::string& text, std::string_view name, char end) {
    const size_t at = text.find(name);
    if (at == text.npos) return {};
    return text.substr(at + name.size(), text.find(end, at + name.size()) - at - name.size());
  }

  const CentrifugeFactory& factory_;
  bool protobuf_;
  FakeClient* link_ = nullptr;
  std::string epoch_;
  std::vector<Heard> heard_;
};

class CentrifugeRig final : public AdapterRig {
 public:
  explicit CentrifugeRig(bool protobuf) : protobuf_(protobuf) {
    hub::ChannelOptions room = FakeRules::usual();
    room.history_size = 1000;  // as the suite's world has it at most
    rules_.set("room", room);
  }
  const session::AdapterFactory& factory() const override { return factory_; }
  std::unique_ptr<ProtocolClient> client() override {
    return std::make_unique<CentrifugeClient>(factory_, protobuf_);
  }
  std::optional<hub::ContentKind> publishes() const override { return hub::ContentKind::kJson; }
  // Protobuf carries any bytes; JSON has text as a string and binary in an object.
  std::optional<std::string> shows(hub::ContentKind kind, const std::string& data) const override {
    if (protobuf_ || kind == hub::ContentKind::kJson) return data;
    std::string shown;
    if (kind == hub::ContentKind::kText) {
      codec::json::append_string(shown, data);
    } else {
      shown = R"({"base64":")";
      append_base64(shown, data);
      shown += R"("})";
    }
    return shown;
  }
  bool has_presence() const override { return true; }
  std::string resume_at(const hub::StreamPosition& position) const override {
    return std::to_string(position.offset) + " " + to_string(position.epoch);
  }
  hub::StreamPosition position_of(const std::string& resume) const override {
    const size_t space = resume.find(' ');
    return {.epoch = hub::parse_epoch(resume.substr(space + 1)).value_or(hub::Epoch{}),
            .offset = std::stoull(resume.substr(0, space))};
  }
  std::vector<std::string> samples() const override {
    std::vector<std::string> all = {R"({"id":1,"connect":{}})",
                                    R"({"id":2,"subscribe":{"channel":"room","join_leave":true}})",
                                    R"({"id":3,"publish":{"channel":"room","data":1}})",
                                    R"({"id":4,"history":{"channel":"room","limit":-1}})",
                                    R"({"id":5,"presence":{"channel":"room"}})",
                                    R"({"id":6,"unsubscribe":{"channel":"room"}})",
                                    R"({"id":7,"rpc":{}})",
                                    "{}"};
    if (protobuf_)
      for (std::string& one : all) one = ToProtobuf::frame(one);
    return all;
  }

 private:
  bool protobuf_;
  FakeRules rules_;
  // No pings, since these clients answer none; and recovery of whatever history keeps.
  CentrifugeFactory factory_{{.ping_interval = seconds(0), .recovery_limit = 1000}, access, rules_};
};

const RegisterRig in_json("CentrifugeJson", [] { return std::make_unique<CentrifugeRig>(false); });
const RegisterRig in_protobuf("CentrifugeProtobuf",
                              [] { return std::make_unique<CentrifugeRig>(true); });

}  // namespace
}  // namespace parley::testing
