// A whole protocol adapter, as small as it gets: text lines in, text lines out.
#pragma once

#include <map>
#include <string>

#include "session/adapter.h"
#include "session/effects.h"

namespace parley::examples {

// `sub NAME`, `pub NAME TEXT`; any other line comes back. See README.md.
class EchoAdapter final : public session::Adapter {
 public:
  std::string_view protocol() const override { return "echo"; }
  const session::Dialect& dialect() const override;

  void on_open(const session::Handshake&, session::Effects&) override {}
  void on_message(session::MessageType type, ByteView line, session::Effects& effects) override;
  void on_subscribed(session::SubscriptionHandle handle,
                     std::expected<hub::Subscribed, hub::HubError> result,
                     session::Effects& effects) override;
  void on_answer(hub::StepId step, hub::Answer answer, session::Effects& effects) override;
  void on_gap(session::SubscriptionHandle handle, const hub::Gap& gap,
              session::Effects& effects) override;
  void on_timer(session::TimerId, session::Effects&) override {}
  session::EndCode on_end(session::EndReason reason, session::Effects& effects) override;

 private:
  void subscribe(std::string_view name, session::Effects& effects);
  void publish(std::string_view name, std::string_view text, session::Effects& effects);

  static constexpr size_t kMaxChannels = 100;
  std::map<session::SubscriptionHandle, std::string> channels_;
  std::map<hub::StepId, std::string> publishing_;  // channels of unanswered publishes
  hub::StepId last_step_ = 0;
};

class EchoFactory final : public session::AdapterFactory {
 public:
  std::unique_ptr<session::Adapter> make() const override {
    return std::make_unique<EchoAdapter>();
  }
};

}  // namespace parley::examples
