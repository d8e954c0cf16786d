// The contract of transports (session::TransportLink over a socket), for every one whose rig is
// linked in (transport_rig.h): real sessions behind a real HTTP server on the loopback interface.
#include <gmock/gmock.h>

#include "tests/contract/transport_rig.h"
#include "tests/support/cuts.h"
#include "tests/support/metric_delta.h"
#include "tests/support/transport_world.h"

namespace parley::testing {

using http::testing::Client;
using session::EndReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::PrintToStringParamName;
using ::testing::StartsWith;
using ::testing::ValuesIn;
using Payloads = std::vector<std::string>;

class TransportContract : public TransportTest,
                          public ::testing::WithParamInterface<RegisteredTransport> {
 protected:
  explicit TransportContract(const session::SessionLimits& limits = {}) : TransportTest(limits) {
    router.add_prefix("GET", "/carried/", *handler_);
  }
  ~TransportContract() override { stop(); }

  std::string request(const std::string& headers = {}) const {
    return rig_->request("/carried/room", headers);
  }
  // A client whose session has opened.
  std::unique_ptr<Client> open(int receive_buffer = 0) {
    auto client = std::make_unique<Client>(address, receive_buffer);
    const int before = script.opened;
    client->send(request());
    EXPECT_TRUE(pump([&] { return script.opened > before; }));
    return client;
  }
  Carried read(Client& client) {
    client.receive();
    return rig_->read(client.received);
  }
  ::testing::AssertionResult pump_until_messages(Client& client, size_t count) {
    return pump(
        [&] { return read(client).messages.size() >= count || client.ended || client.reset; });
  }
  ::testing::AssertionResult pump_until_session_ends() {
    return pump([&] { return !script.ends.empty(); });
  }
  // The client closes if it has not, and nothing is left of it.
  void expect_nothing_left(Client& client) {
    client.close();
    EXPECT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
    settle();
    EXPECT_EQ(sessions().size(), 0u);
    EXPECT_EQ(script.ends.size(), static_cast<size_t>(script.opened));
  }

  void at_open(std::function<void(session::Effects&)> action) {
    script.on_open = [action](const session::Handshake&, session::Effects& effects) {
      action(effects);
    };
  }
  void subscribe_at_open() {
    at_open([](session::Effects& effects) { effects.subscribe({.name = "room"}, {}); });
  }
  void publish(const std::string& payload) {
    hub::PublishRecord record{.channel = {.name = "room"}};
    record.publication = std::make_unique<hub::Publication>(text(rig_->message(payload)));
    if (!publisher_) publisher_ = hub().add(requester_);
    hub().publish(*publisher_, 1, std::move(record));
  }
  // More than the kernel takes at once from a server with a small buffer.
  Payloads large() const {
    return {std::string(300'000, 'a'), std::string(300'000, 'b'), std::string(300'000, 'c')};
  }
  void send_all(const Payloads& payloads, session::Effects& effects) const {
    for (const std::string& payload : payloads) effects.send(rig_->message(payload));
  }
  static constexpr int kSmallBuffer = 16 * 1024;

  std::unique_ptr<TransportRig> rig_ = GetParam().make();
  std::unique_ptr<http::Handler> handler_ = rig_->handler(factory, sessions());

 private:
  struct NoRequester final : hub::Requester {
    void on_answer(hub::StepId, hub::Answer) override {}
  };
  NoRequester requester_;
  std::optional<hub::RequesterId> publisher_;
};

std::vector<RegisteredTransport> two_way_transports() {
  std::vector<RegisteredTransport> all;
  for (const RegisteredTransport& rig : registered_transports())
    if (rig.make()->two_way()) all.push_back(rig);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Rigs, TransportContract, ValuesIn(registered_transports()),
                         PrintToStringParamName());

// --- the beginning

TEST_P(TransportContract, TheSessionSeesTheRequest) {
  start();
  std::string seen;
  script.on_open = [&](const session::Handshake& handshake, session::Effects&) {
    seen = std::string(handshake.transport) + ' ' + std::string(handshake.path) + ' ' +
           std::string(handshake.query) + ' ' + std::string(handshake.header("x-token")) + ' ' +
           std::string(handshake.peer);
  };
  Client client(address);
  client.send(rig_->request("/carried/a%2fb%20c?x=%20", "X-Token: t\r\n"));
  ASSERT_TRUE(pump([&] { return !seen.empty(); }));
  EXPECT_EQ(seen, std::string(rig_->name()) + " a/b c x=%20 t 127.0.0.1");
}

TEST_P(TransportContract, TheSameAtEveryCutOfTheRequest) {
  start();
  at_open([&](session::Effects& effects) {
    send_all({"a"}, effects);
    effects.end(EndReason::kShutdown);
  });
  const std::string input = request();
  const std::string expected = ask(input);
  EXPECT_THAT(rig_->read(expected).messages, ElementsAre("a"));
  for_each_cut(
      input,
      [&](const std::vector<std::string_view>& pieces) {
        Client client(address);
        for (const auto piece : pieces) {
          client.send(piece);
          shard->turn(milliseconds(0));
        }
        ASSERT_TRUE(pump_until_ended(client));
        EXPECT_EQ(client.received, expected);
      },
      5);
}

TEST_P(TransportContract, AnAnswerThatIsStillUnsentGoesFirst) {
  start();
  at_open([&](session::Effects& effects) { send_all({"a"}, effects); });
  Client client(address);
  client.send("GET /nowhere HTTP/1.1\r\nHost: server\r\n\r\n" + request());
  const auto own = [&] {
    client.receive();
    const size_t at = client.received.find(rig_->answer());
    return at == std::string::npos ? Carried{} : rig_->read(client.received.substr(at));
  };
  ASSERT_TRUE(pump([&] { return own().messages == Payloads{"a"}; }));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 404 "));
}

TEST_P(TransportContract, ASessionMayEndAtOnce) {
  start();
  at_open([](session::Effects& effects) { effects.end(EndReason::kLimit); });
  const auto client = open();
  ASSERT_TRUE(pump_until_received(*client, "HTTP/1.1 "));
  EXPECT_THAT(read(*client).messages, IsEmpty());
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kLimit));
  expect_nothing_left(*client);
}

// --- messages

TEST_P(TransportContract, DeliversPublicationsInOrder) {
  start();
  subscribe_at_open();
  const auto client = open();
  settle();
  Payloads expected;
  for (int n = 0; n < 200; ++n) {
    expected.push_back(std::to_string(n));
    publish(expected.back());
    if (n % 9 == 0) shard->turn(milliseconds(0));
  }
  ASSERT_TRUE(pump_until_messages(*client, expected.size()));
  EXPECT_EQ(read(*client).messages, expected);
}

TEST_P(TransportContract, MessagesOfAnySizeKeepTheirBorders) {
  start();
  Payloads expected;
  for (const size_t size : {1, 2, 125, 126, 127, 4095, 4096, 65535, 65536, 70000, 1})
    expected.emplace_back(size, 'x');
  at_open([&](session::Effects& effects) { send_all(expected, effects); });
  const auto client = open();
  ASSERT_TRUE(pump_until_messages(*client, expected.size()));
  EXPECT_EQ(read(*client).messages, expected);
}

// Partial writes: nothing is lost or doubled between them, and the end waits for all of it.
TEST_P(TransportContract, ASlowReaderGetsEverythingAndThenTheEnd) {
  start({.send_buffer = kSmallBuffer});
  at_open([&](session::Effects& effects) {
    send_all(large(), effects);
    effects.end(EndReason::kShutdown);
  });
  const auto client = open(4096);
  ASSERT_TRUE(pump_until_ended(*client));
  const Carried carried = read(*client);
  EXPECT_TRUE(carried.messages == large());
  EXPECT_TRUE(carried.told_end);
  EXPECT_FALSE(carried.after_end);
  expect_nothing_left(*client);
}

TEST_P(TransportContract, UrgentMessagesPassWhatHasNotBegun) {
  start({.send_buffer = kSmallBuffer});
  at_open([&](session::Effects& effects) {
    send_all(large(), effects);
    effects.set_timer(session::TimerId::kPing, milliseconds(1));
  });
  bool sent = false;
  script.on_timer = [&](session::TimerId, session::Effects& effects) {
    effects.send_urgent(rig_->message("now"));
    sent = true;
  };
  const auto client = open(4096);
  ASSERT_TRUE(pump([&] { return sent; }));
  ASSERT_TRUE(pump_until_messages(*client, 4));
  Payloads got = read(*client).messages;
  EXPECT_LT(std::ranges::find(got, "now") - got.begin(), 3);
  std::erase(got, "now");
  EXPECT_TRUE(got == large());
}

TEST_P(TransportContract, AHeartbeatReachesAnIdleClient) {
  start();
  at_open([](session::Effects& effects) {
    effects.set_timer(session::TimerId::kPing, milliseconds(1));
  });
  script.on_timer = [&](session::TimerId timer, session::Effects& effects) {
    effects.send_urgent(rig_->message("hb"));
    effects.set_timer(timer, milliseconds(1));
  };
  const auto client = open();
  ASSERT_TRUE(pump_until_messages(*client, 3));
  EXPECT_EQ(read(*client).messages.front(), "hb");
}

// --- the end

TEST_P(TransportContract, TheEndIsToldOnceAndNothingFollowsIt) {
  start();
  subscribe_at_open();
  script.on_end = [&](EndReason, session::Effects& effects) {
    send_all({"last words"}, effects);
    return session::EndCode{3000, "bye"};
  };
  const auto client = open();
  settle();
  sessions().end_all(EndReason::kShutdown);
  sessions().end_all(EndReason::kInternalError);
  publish("too late");
  ASSERT_TRUE(pump_until_ended(*client));
  publish("much too late");
  settle();
  const Carried carried = read(*client);
  EXPECT_THAT(carried.messages, ElementsAre("last words"));
  EXPECT_TRUE(carried.told_end);
  EXPECT_FALSE(carried.after_end);
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kShutdown));
  expect_nothing_left(*client);
}

TEST_P(TransportContract, EveryEndReasonIsCarriedOut) {
  start();
  for (int i = 0; i < session::kEndReasons; ++i) {
    const auto reason = static_cast<EndReason>(i);
    script.ends.clear();
    script.opened = 0;
    const auto client = open();
    settle();
    sessions().end_all(reason);
    ASSERT_TRUE(pump_until_ended(*client)) << to_string(reason);
    EXPECT_THAT(script.ends, ElementsAre(reason));
    // These two need not be told: nobody listens, or not in time.
    const bool untold = reason == EndReason::kSlow || reason == EndReason::kTransportLost;
    EXPECT_TRUE(untold || read(*client).told_end) << to_string(reason);
    expect_nothing_left(*client);
  }
}

TEST_P(TransportContract, AGoodbyeIsNoLoss) {
  start();
  const auto client = open();
  // Who closes with unread bytes resets the connection.
  ASSERT_TRUE(pump_until_received(*client, "\r\n\r\n"));
  settle();
  client->receive();
  if (!rig_->goodbye().empty()) {
    client->send(rig_->goodbye());
    ASSERT_TRUE(pump_until_session_ends());
  }
  client->close();
  ASSERT_TRUE(pump_until_session_ends());
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kClientLeft));
  expect_nothing_left(*client);
}

TEST_P(TransportContract, APeerThatBreaksOffIsLost) {
  start();
  const auto client = open();
  settle();
  client->break_off();
  ASSERT_TRUE(pump_until_session_ends());
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTransportLost));
  expect_nothing_left(*client);
}

TEST_P(TransportContract, APeerMayCloseInTheMiddleOfAWrite) {
  start({.send_buffer = kSmallBuffer});
  at_open([&](session::Effects& effects) { send_all(large(), effects); });
  for (const auto close : {&Client::end, &Client::close, &Client::break_off}) {
    script.ends.clear();
    script.opened = 0;
    const auto client = open(4096);
    settle();
    (*client.*close)();
    // Who closed only its own side may still be sent the rest.
    ASSERT_TRUE(pump([&] {
      if (close == &Client::end) client->receive();
      return !script.ends.empty();
    }));
    expect_nothing_left(*client);
  }
}

TEST_P(TransportContract, APeerThatIgnoresTheEndIsClosed) {
  options.close_timeout = milliseconds(40);
  start();
  const auto client = open();
  settle();
  sessions().end_all(EndReason::kNoPong);
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kNoPong));
}

TEST_P(TransportContract, WhatEndsTheShardEndsTheSession) {
  start();
  const auto client = open();
  settle();
  shard.reset();
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTransportLost));
}

// --- limits

TEST_P(TransportContract, TooMuchInputEndsTheSession) {
  start();
  const auto client = open();
  settle();
  const std::string flood = rig_->too_much();
  size_t sent = 0;
  ASSERT_TRUE(pump([&] {
    sent += client->try_send(std::string_view(flood).substr(sent));
    return !script.ends.empty();
  }));
  EXPECT_THAT(script.ends, ElementsAre(rig_->too_much_is()));
  EXPECT_THAT(script.messages, IsEmpty());
  expect_nothing_left(*client);
}

class ImpatientTransportContract : public TransportContract {
 protected:
  ImpatientTransportContract() : TransportContract({.write_stall = milliseconds(50)}) {}
};
INSTANTIATE_TEST_SUITE_P(Rigs, ImpatientTransportContract, ValuesIn(registered_transports()),
                         PrintToStringParamName());

TEST_P(ImpatientTransportContract, APeerThatTakesNothingIsCutOff) {
  options.close_timeout = milliseconds(40);
  start({.send_buffer = kSmallBuffer});
  at_open([&](session::Effects& effects) { send_all(large(), effects); });
  const auto client = open(4096);
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kSlow));
  client->receive();
  EXPECT_LT(rig_->read(client->received).messages.size(), large().size());
  EXPECT_EQ(sessions().size(), 0u);
}

// --- both ways

class TwoWayTransportContract : public TransportContract {
 protected:
  TwoWayTransportContract() : TransportContract({.pending_commands = 2}) {}
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TwoWayTransportContract);
INSTANTIATE_TEST_SUITE_P(Rigs, TwoWayTransportContract, ValuesIn(two_way_transports()),
                         PrintToStringParamName());

// Each message waits for an answer of the hub, which comes a turn later.
TEST_P(TwoWayTransportContract, WhileCommandsWaitInputWaits) {
  start();
  const MetricDelta pauses("parley_session_input_paused_total");
  size_t most_unanswered = 0;
  script.on_message = [&](ByteView message, session::Effects& effects) {
    most_unanswered =
        std::max(most_unanswered, script.messages.size() - static_cast<size_t>(script.answers));
    effects.history(1, "c", {});
    effects.send(message);
  };
  const auto client = open();
  std::string input;
  Payloads expected;
  for (int i = 0; i < 200; ++i) {
    expected.push_back(std::to_string(i));
    input += rig_->input(expected.back());
  }
  client->send(input);
  ASSERT_TRUE(pump_until_messages(*client, expected.size()));
  EXPECT_EQ(read(*client).messages, expected);
  EXPECT_LE(most_unanswered, 2u);
  EXPECT_GE(pauses(), 1);
}

TEST_P(TwoWayTransportContract, NothingComesInBehindTheEnd) {
  start();
  script.on_message = [](ByteView message, session::Effects& effects) {
    if (message == "end") effects.end(EndReason::kUnauthorized);
  };
  const auto client = open();
  client->send(rig_->input("one") + rig_->input("end") + rig_->input("never"));
  ASSERT_TRUE(pump_until_ended(*client));
  client->try_send(rig_->input("never"));
  EXPECT_THAT(script.messages, ElementsAre("one", "end"));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kUnauthorized));
  expect_nothing_left(*client);
  EXPECT_THAT(script.messages, ElementsAre("one", "end"));
}

}  // namespace parley::testing
