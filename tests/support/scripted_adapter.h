// A protocol without a wire format, for tests of sessions: it does what the test scripts and notes
// what happens to it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "session/adapter.h"
#include "session/effects.h"

namespace parley::testing {

// A publication is "channel:offset:data"; data that begins with '-' is skipped.
class LineDialect final : public session::Dialect {
 public:
  session::MessageType type() const override { return session::MessageType::kText; }
  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    if (publication.data.starts_with('-')) return;
    out.append(channel.key().name).append(":");
    append_uint(out, publication.offset);
    out.append(":").append(publication.data);
  }
  static const LineDialect& shared() {
    static const LineDialect dialect;
    return dialect;
  }
};

// Owned by the test; must outlive the session. Empty functions do nothing.
struct Script {
  using Effects = session::Effects;
  std::function<void(Effects&)> open;
  std::function<void(ByteView, Effects&)> message;
  std::function<void(session::SubscriptionHandle,
                     const std::expected<hub::Subscribed, hub::HubError>&, Effects&)>
      subscribed;
  std::function<void(hub::StepId, const hub::Answer&, Effects&)> answer;
  std::function<void(hub::StepId, const auth::TokenResult&, Effects&)> verified;
  std::function<void(session::SubscriptionHandle, const hub::Gap&, Effects&)> gap;
  std::function<void(session::TimerId, Effects&)> timer;
  std::function<void(session::EndReason, Effects&)> end;
  std::function<void(const hub::Control&, Effects&)> control;
  session::Identity identity;
  const session::Dialect* dialect = &LineDialect::shared();

  std::vector<std::string> log;  // one word for each input but messages
  int alive = 0;                 // adapters that live
};

class ScriptedAdapter final : public session::Adapter {
 public:
  using Effects = session::Effects;
  explicit ScriptedAdapter(Script& script) : script_(script) { ++script_.alive; }
  ~ScriptedAdapter() override { --script_.alive; }
  std::string_view protocol() const override { return "scripted"; }
  const session::Dialect& dialect() const override { return *script_.dialect; }

  void on_open(const session::Handshake&, Effects& effects) override {
    note("open");
    if (script_.open) script_.open(effects);
  }
  void on_message(session::MessageType, ByteView message, Effects& effects) override {
    if (script_.message) script_.message(message, effects);
  }
  void on_subscribed(session::SubscriptionHandle handle,
                     std::expected<hub::Subscribed, hub::HubError> result,
                     Effects& effects) override {
    note(result ? "subscribed" : "refused");
    if (script_.subscribed) script_.subscribed(handle, result, effects);
  }
  void on_answer(hub::StepId step, hub::Answer answer, Effects& effects) override {
    note((answer ? "answer " : "error ") + std::to_string(step));
    if (script_.answer) script_.answer(step, answer, effects);
  }
  void on_verified(hub::StepId step, auth::TokenResult result, Effects& effects) override {
    note((result ? "verified " : "unverified ") + std::to_string(step));
    if (script_.verified) script_.verified(step, result, effects);
  }
  void on_gap(session::SubscriptionHandle handle, const hub::Gap& gap, Effects& effects) override {
    note("gap " + std::to_string(gap.from) + "-" + std::to_string(gap.to));
    if (script_.gap) script_.gap(handle, gap, effects);
  }
  void on_timer(session::TimerId timer, Effects& effects) override {
    note("timer " + std::to_string(static_cast<int>(timer)));
    if (script_.timer) script_.timer(timer, effects);
  }
  session::Identity identity() const override { return script_.identity; }
  void on_control(const hub::Control& control, Effects& effects) override {
    note("control");
    if (script_.control) script_.control(control, effects);
  }
  session::EndCode on_disconnect(const session::EndCode& asked, Effects& effects) override {
    on_end(session::EndReason::kDisconnected, effects);
    return asked;
  }
  session::EndCode on_end(session::EndReason reason, Effects& effects) override {
    note("end " + std::string(to_string(reason)));
    if (script_.end) script_.end(reason, effects);
    return {.code = 4000, .text = "over"};
  }

 private:
  void note(std::string what) { script_.log.push_back(std::move(what)); }
  Script& script_;
};

}  // namespace parley::testing
