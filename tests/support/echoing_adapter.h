// An adapter that sends back what comes unless the test says otherwise, for tests of transports.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "session/effects.h"

namespace parley::testing {

// What the adapters of one factory do and saw. Messages are sent back as they came by default.
struct EchoingScript {
  using Effects = session::Effects;
  std::function<void(const session::Handshake&, Effects&)> on_open = [](const session::Handshake&,
                                                                        Effects&) {};
  std::function<void(ByteView, Effects&)> on_message = [](ByteView message, Effects& effects) {
    effects.send(message);
  };
  std::function<session::EndCode(session::EndReason, Effects&)> on_end =
      [](session::EndReason, Effects&) { return session::EndCode{3000, "bye"}; };

  session::MessageType type = session::MessageType::kText;  // of what is sent
  std::vector<std::string> messages;
  std::vector<session::MessageType> types;
  std::vector<session::EndReason> ends;
  int opened = 0;
  int answers = 0;
};

class EchoingAdapter final : public session::Adapter, private session::Dialect {
 public:
  explicit EchoingAdapter(EchoingScript& script) : script_(script) {}

  std::string_view protocol() const override { return "echoing"; }
  const session::Dialect& dialect() const override { return *this; }
  void on_open(const session::Handshake& handshake, session::Effects& effects) override {
    ++script_.opened;
    script_.on_open(handshake, effects);
  }
  void on_message(session::MessageType type, ByteView message, session::Effects& effects) override {
    script_.types.push_back(type);
    script_.messages.emplace_back(message);
    script_.on_message(message, effects);
  }
  void on_subscribed(session::SubscriptionHandle, std::expected<hub::Subscribed, hub::HubError>,
                     session::Effects&) override {}
  void on_answer(hub::StepId, hub::Answer, session::Effects&) override { ++script_.answers; }
  void on_gap(session::SubscriptionHandle, const hub::Gap&, session::Effects&) override {}
  void on_timer(session::TimerId, session::Effects&) override {}
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override {
    script_.ends.push_back(reason);
    return script_.on_end(reason, effects);
  }

 private:
  session::MessageType type() const override { return script_.type; }
  void encode(const hub::LocalChannel&, const hub::Publication& publication,
              Buffer& out) const override {
    out.append(publication.data);
  }

  EchoingScript& script_;
};

class EchoingFactory final : public session::AdapterFactory {
 public:
  explicit EchoingFactory(EchoingScript& script) : script_(script) {}
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<EchoingAdapter>(script_);
  }

 private:
  EchoingScript& script_;
};

}  // namespace parley::testing
