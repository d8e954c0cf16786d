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
  std::function<void(session::TimerId, Effects&)> on_timer = [](session::TimerId, Effects&) {};
  std::function<session::EndCode(session::EndReason, Effects&)> on_end =
      [](session::EndReason, Effects&) { return session::EndCode{3000, "bye"}; };

  session::MessageType type = session::MessageType::kText;  // of what is sent
  std::vector<std::string> messages;
  std::vector<session::MessageType> types;
  std::vector<session::EndReason> ends;
  int opened = 0;
  int answers = 0;
};

// Publications are sent as their data.
class EchoingDialect final : public session::Dialect {
 public:
  explicit EchoingDialect(const EchoingScript& script) : script_(script) {}
  session::MessageType type() const override { return script_.type; }
  void encode(const hub::LocalChannel&, const hub::Publication& publication,
              Buffer& out) const override {
    out.append(publication.data);
  }

 private:
  const EchoingScript& script_;
};

class EchoingAdapter final : public session::Adapter {
 public:
  EchoingAdapter(EchoingScript& script, const EchoingDialect& dialect)
      : script_(script), dialect_(dialect) {}

  std::string_view protocol() const override { return "echoing"; }
  const session::Dialect& dialect() const override { return dialect_; }
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
  void on_timer(session::TimerId timer, session::Effects& effects) override {
    script_.on_timer(timer, effects);
  }
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override {
    script_.ends.push_back(reason);
    return script_.on_end(reason, effects);
  }

 private:
  EchoingScript& script_;
  const EchoingDialect& dialect_;
};

class EchoingFactory final : public session::AdapterFactory {
 public:
  explicit EchoingFactory(EchoingScript& script) : script_(script), dialect_(script) {}
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<EchoingAdapter>(script_, dialect_);
  }

 private:
  EchoingScript& script_;
  EchoingDialect dialect_;
};

}  // namespace parley::testing
