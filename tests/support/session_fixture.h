// One scripted client in a session world, for tests of sessions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/scripted_adapter.h"
#include "tests/support/session_world.h"

namespace parley::testing {

class SessionFixture : public ::testing::Test {
 protected:
  using Effects = session::Effects;
  using Handle = session::SubscriptionHandle;

  explicit SessionFixture(const session::SessionLimits& limits = {}) : world_(limits) {}

  FakeClient& open(Script& script) {
    return world_.open(std::make_unique<ScriptedAdapter>(script), {.path = "/"});
  }
  FakeClient& open() { return open(script_); }

  // Runs `action` in a message handler of the client. The world does not run.
  static void act(FakeClient& client, Script& script, std::function<void(Effects&)> action) {
    script.message = [&](ByteView, Effects& effects) { action(effects); };
    client.send("go");
    script.message = {};
  }
  void act(FakeClient& client, std::function<void(Effects&)> action) {
    act(client, script_, std::move(action));
  }
  static Handle subscribe(FakeClient& client, Script& script, const std::string& channel,
                          hub::Start start = {}) {
    Handle handle = 0;
    act(client, script, [&](Effects& effects) { handle = effects.subscribe({channel}, start); });
    return handle;
  }
  Handle subscribe(FakeClient& client, const std::string& channel, hub::Start start = {}) {
    const Handle handle = subscribe(client, script_, channel, start);
    world_.run();
    return handle;
  }
  // Publishes for the client, and sends "done" behind its own publication.
  static void publish_own(FakeClient& client, Script& script, Handle handle,
                          const std::string& channel, std::string_view data) {
    script.answer = [handle](hub::StepId, const hub::Answer& answer, Effects& effects) {
      if (!answer) return;
      effects.send_after(handle, std::get<hub::Published>(*answer).position.offset, "done");
    };
    act(client, script, [&](Effects& effects) {
      hub::PublishRecord record{.channel = {channel}};
      record.publication = std::make_unique<hub::Publication>(json(data));
      effects.publish(1, std::move(record));
    });
  }

  static std::vector<std::string> texts(FakeClient& client) {
    std::vector<std::string> all;
    for (WireMessage& message : client.take()) all.push_back(std::move(message.bytes));
    return all;
  }
  void publish(const std::string& channel, std::string_view data) {
    world_.publish_later(channel, json(data));
  }

  // Scripts live longer than the sessions.
  Script& new_script() { return *scripts_.emplace_back(std::make_unique<Script>()); }
  Script script_;
  std::vector<std::unique_ptr<Script>> scripts_;
  SessionWorld world_;
};

}  // namespace parley::testing
