// The example protocol under the adapter contract.
#include "examples/echo_adapter/echo_adapter.h"
#include "tests/contract/adapter_rig.h"

namespace parley::testing {
namespace {

class EchoClient final : public ProtocolClient {
 public:
  explicit EchoClient(const examples::EchoFactory& factory) : factory_(factory) {}

  void open(SessionWorld& world, const std::string& channel, const std::string&) override {
    link_ = &world.open(factory_, {.path = "/echo"});
    link_->send("sub " + channel);
  }

  void publish(const std::string& channel, const std::string& data) override {
    link_->send("pub " + channel + " " + data);
  }

  std::vector<Heard> hear() override {
    std::vector<Heard> heard;
    for (const WireMessage& line : link_->take()) {
      Heard one;
      const std::string verb = line.bytes.substr(0, line.bytes.find(' '));
      if (verb == "subscribed") one.kind = Heard::Kind::kSubscribed;
      if (verb == "gap") one.kind = Heard::Kind::kGap;
      if (verb == "published") one.kind = Heard::Kind::kPublished;
      if (verb == "refused") one.kind = Heard::Kind::kRefused;
      if (verb == "msg") {
        one.kind = Heard::Kind::kMessage;
        one.data = line.bytes.substr(line.bytes.find(' ', 4) + 1);
      }
      heard.push_back(std::move(one));
    }
    return heard;
  }
  FakeClient& link() override { return *link_; }

 private:
  const examples::EchoFactory& factory_;
  FakeClient* link_ = nullptr;
};

class EchoRig final : public AdapterRig {
 public:
  const session::AdapterFactory& factory() const override { return factory_; }
  std::unique_ptr<ProtocolClient> client() override {
    return std::make_unique<EchoClient>(factory_);
  }
  bool resumes() const override { return false; }
  bool asks_permission() const override { return false; }
  std::optional<hub::ContentKind> publishes() const override { return hub::ContentKind::kText; }
  std::optional<std::string> shows(hub::ContentKind kind, const std::string& data) const override {
    return kind == hub::ContentKind::kBinary ? "(binary)" : data;
  }
  std::vector<std::string> samples() const override {
    return {"sub room", "pub room hello", "pub other 1", "hello", "sub x"};
  }

 private:
  examples::EchoFactory factory_;
};

const RegisterRig registered("Echo", [] { return std::make_unique<EchoRig>(); });

}  // namespace
}  // namespace parley::testing
