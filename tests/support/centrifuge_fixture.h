// For the tests of this folder: the adapter on a real session, hub and memory broker.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "adapter/centrifuge/adapter.h"
#include "tests/support/centrifuge_protobuf.h"
#include "tests/support/session_world.h"

namespace parley::adapter::centrifuge {

using testing::FakeClient;
using Replies = std::vector<std::string>;

class CentrifugeTest : public ::testing::Test {
 protected:
  explicit CentrifugeTest(Options options = {}, const session::SessionLimits& limits = {},
                          const hub::HubOptions& hub = {})
      : world(limits, 1, hub), factory(std::move(options), access, world.rules()) {
    world.rules().set("plain", {});
    world.rules().set("asked", history_only());
  }

  static hub::ChannelOptions history_only() {
    hub::ChannelOptions options;
    options.history_size = 100;
    options.history_ttl = seconds(300);
    return options;
  }

  FakeClient& open() {
    FakeClient& client = world.open(
        factory,
        {.path = "/connection/websocket", .subprotocol = protobuf ? "centrifuge-protobuf" : ""});
    if (protobuf) protobuf_clients.insert(&client);
    return client;
  }
  // Clients that come from now on speak Protobuf. What is sent and taken below stays JSON.
  bool protobuf = false;

  // A client that has connected; its reply is taken.
  FakeClient& connect() {
    FakeClient& client = open();
    const Replies replies = ask(client, R"({"id":1,"connect":{}})");
    EXPECT_EQ(replies.size(), 1u);
    last_id = between(replies.at(0), R"("client":")", "\"");
    return client;
  }

  // ... and one that showed this token.
  FakeClient& connect_with(const std::string& token) {
    FakeClient& client = open();
    const Replies replies = ask(client, R"({"id":1,"connect":{"token":")" + token + "\"}}");
    EXPECT_EQ(replies.size(), 1u);
    last_id = between(replies.at(0), R"("client":")", "\"");
    return client;
  }
  // Seconds since 1970, that long from now.
  int64_t in(int64_t from_now) const { return world.now().wall / 1000 + from_now; }

  // What comes back until the world is quiet.
  Replies ask(FakeClient& client, std::string_view frame) {
    client.send(encoded(client, frame));
    return take(client);
  }
  Replies take(FakeClient& client) {
    world.run();
    Replies replies;
    const bool binary = protobuf_clients.contains(&client);
    for (const auto& message : client.take()) {
      EXPECT_EQ(message.type, binary ? session::MessageType::kBinary : session::MessageType::kText);
      replies.push_back(binary ? testing::FromProtobuf::frame(message.bytes) : message.bytes);
    }
    return replies;
  }
  std::string encoded(const FakeClient& client, std::string_view frame) const {
    return protobuf_clients.contains(&client) ? testing::ToProtobuf::frame(frame)
                                              : std::string(frame);
  }

  // The code of the disconnect; 0: still connected.
  uint16_t disconnect(FakeClient& client) {
    world.run();
    return client.ended() ? client.end_seen()->code.code : uint16_t{0};
  }
  // ... after this frame.
  uint16_t disconnect(FakeClient& client, std::string_view frame) {
    client.send(encoded(client, frame));
    return disconnect(client);
  }
  uint16_t disconnect_first(std::string_view frame) { return disconnect(open(), frame); }
  uint16_t disconnect_after_connect(std::string_view frame) { return disconnect(connect(), frame); }

  std::string epoch(const std::string& channel) {
    return to_string(std::get<hub::ReadPage>(*world.history(channel, {})).epoch);
  }
  void publish(const std::string& channel, int from, int to) {
    for (int i = from; i <= to; ++i) world.publish(channel, R"({"seq":)" + std::to_string(i) + "}");
  }

  static std::string between(const std::string& text, std::string_view before,
                             std::string_view after) {
    const size_t start = text.find(before);
    if (start == text.npos) return {};
    const size_t from = start + before.size();
    return text.substr(from, text.find(after, from) - from);
  }

  testing::FakeAccess access;
  testing::SessionWorld world;
  CentrifugeFactory factory;
  std::set<const FakeClient*> protobuf_clients;
  std::string last_id;  // the public id of the client that connected last
};

}  // namespace parley::adapter::centrifuge
