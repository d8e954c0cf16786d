// What `parley dev --echo` serves at /echo.
#pragma once

#include <memory>

#include "session/adapter.h"

namespace parley::server {

// What: sends each message back as it came, the next one when the last has left; for conformance
// suites, which want to see what the WebSocket code itself does. Owner: its Session. Shard: the
// session's. Failure: none of its own.
class EchoAdapter final : public session::Adapter, private session::Dialect {
 public:
  std::string_view protocol() const override { return "echo"; }
  const session::Dialect& dialect() const override { return *this; }
  void on_open(const session::Handshake&, session::Effects&) override {}
  void on_message(session::MessageType type, ByteView message, session::Effects& effects) override;
  void on_subscribed(session::SubscriptionHandle, std::expected<hub::Subscribed, hub::HubError>,
                     session::Effects&) override {}
  void on_answer(hub::StepId, hub::Answer, session::Effects&) override {}
  void on_gap(session::SubscriptionHandle, const hub::Gap&, session::Effects&) override {}
  void on_timer(session::TimerId, session::Effects&) override {}
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override;

 private:
  session::MessageType type() const override { return type_; }
  void encode(const hub::LocalChannel&, const hub::Publication&, Buffer&) const override {}

  session::MessageType type_ = session::MessageType::kText;  // of the message that is sent back
};

class EchoFactory final : public session::AdapterFactory {
 public:
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<EchoAdapter>();
  }
};

}  // namespace parley::server
