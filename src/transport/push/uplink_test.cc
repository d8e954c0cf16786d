// Both halves of a session over HTTP, on one shard and from another.
#include <deque>

#include <gmock/gmock.h>

#include "tests/support/metric_delta.h"
#include "tests/support/seeded_ids.h"
#include "tests/support/transport_world.h"
#include "transport/push/push_handler.h"
#include "transport/push/push_transport.h"
#include "transport/push/uplink_handler.h"

namespace parley::transport::push {
namespace {

using http::testing::Client;
using parley::testing::MetricDelta;
using session::EndReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Requests are "key data".
class WordsFactory final : public session::AdapterFactory {
 public:
  explicit WordsFactory(const session::AdapterFactory& inner) : inner_(inner) {}
  std::unique_ptr<session::Adapter> make() const override { return inner_.make(); }
  std::optional<session::UplinkMessage> read_uplink(session::MessageType,
                                                    ByteView request) const override {
    const size_t space = request.find(' ');
    if (space == request.npos) return std::nullopt;
    return session::UplinkMessage{.session = std::string(request.substr(0, space)),
                                  .data = Buffer(request.substr(space + 1))};
  }

 private:
  const session::AdapterFactory& inner_;
};

class UplinkTest : public parley::testing::TransportTest {
 protected:
  explicit UplinkTest(const session::SessionLimits& limits = {}) : TransportTest(limits) {
    // The key goes to the client as the first message.
    script.on_open = [this](const session::Handshake& handshake, session::Effects& effects) {
      key = handshake.session;
      binary = handshake.binary;
      effects.send(handshake.session);
    };
    for (const auto* method : {"GET", "POST", "OPTIONS"})
      router.add(method, "/stream", stream_handler, 1000);
    for (const auto* method : {"POST", "OPTIONS"}) router.add(method, "/up", uplink_handler, 1000);
  }
  ~UplinkTest() override { stop(); }

  static std::string post(const std::string& path, const std::string& body,
                          const std::string& headers = "") {
    return "POST " + path +
           " HTTP/1.1\r\nHost: server\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }
  std::string ask_up(const std::string& body, const std::string& headers = "") {
    return ask(post("/up", body, "Connection: close\r\n" + headers));
  }
  std::unique_ptr<Client> open(const std::string& first = "hello") {
    auto client = std::make_unique<Client>(address);
    client->send(post("/stream", first));
    EXPECT_TRUE(pump([&] { return client->receive(), client->received.ends_with("\n\r\n"); }));
    return client;
  }

  // This shard and one that exists only on paper.
  struct Mail final : session::UplinkPost {
    bool take_credit(ShardId) override { return true; }
    void send_request(ShardId, session::UplinkMail mail) override {
      sent.push_back(std::move(mail));
    }
    void send_answer(ShardId, session::UplinkMail mail) override {
      sent.push_back(std::move(mail));
    }
    std::deque<session::UplinkMail> sent;
  };
  parley::testing::SeededIds ids;
  Mail mail;
  session::Uplinks uplinks{0, 2, mail, ids};
  PushHandler stream_handler{factory,
                             sessions(),
                             {.transport = "http_stream",
                              .format = PushFormat::kLines,
                              .binary_format = PushFormat::kBytes,
                              .first = FirstMessage{.parameter = "first"},
                              .uplinks = &uplinks,
                              .methods = "GET, POST, OPTIONS",
                              .origins = http::OriginPolicy({"https://a.com"})}};
  WordsFactory words{factory};
  UplinkHandler uplink_handler{words, uplinks, http::OriginPolicy({"https://a.com"})};
  std::string key;
  bool binary = false;
};

TEST_F(UplinkTest, TheFirstMessageIsTheBodyAndTheRestComesByRequests) {
  start();
  const auto client = open("connect");
  EXPECT_THAT(client->received, HasSubstr("Content-Type: application/x-ndjson\r\n"));
  EXPECT_THAT(client->received, HasSubstr("\r\n\r\n2d\r\n" + key + "\n\r\n8\r\nconnect\n\r\n"));
  EXPECT_THAT(ask_up(key + " one"), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(ask_up(key + " two\nthree"), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(script.messages, ElementsAre("connect", "one", "two\nthree"));
  ASSERT_TRUE(pump_until_received(*client, "three\n\r\n"));
  EXPECT_THAT(client->received, HasSubstr("4\r\none\n\r\na\r\ntwo\nthree\n\r\n"));
}

TEST_F(UplinkTest, OrItStandsInTheAddress) {
  start();
  Client client(address);
  client.send("GET /stream?first=a%20b+c HTTP/1.1\r\nHost: server\r\n\r\n");
  ASSERT_TRUE(pump_until_received(client, "a b c\n\r\n"));
  EXPECT_THAT(script.messages, ElementsAre("a b c"));
  const MetricDelta refused(R"(parley_push_refused_total{reason="bad_request"})");
  EXPECT_THAT(ask("GET /stream HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(script.opened, 1);
}

TEST_F(UplinkTest, ClientsThatSayTheySpeakBytesAreGivenBytes) {
  start();
  script.type = session::MessageType::kBinary;
  Client client(address);
  client.send(post("/stream", "x", "Content-Type: application/octet-stream\r\n"));
  ASSERT_TRUE(pump_until_received(client, "\r\n1\r\nx\r\n"));
  EXPECT_THAT(client.received, HasSubstr("Content-Type: application/octet-stream\r\n"));
  EXPECT_TRUE(binary);
  ask_up(key + " y");
  EXPECT_THAT(script.types,
              ElementsAre(session::MessageType::kBinary, session::MessageType::kBinary));
}

TEST_F(UplinkTest, ARequestOfASessionElsewhereIsHandedOn) {
  start();
  const session::UplinkKey there{.shard = 1, .place = 7, .secret = {1, 2}};
  Client client(address);
  client.send(post("/up", to_string(there) + " over there"));
  ASSERT_TRUE(pump([&] { return !mail.sent.empty(); }));
  const session::UplinkMail sent = std::move(mail.sent.front());
  mail.sent.clear();
  ASSERT_TRUE(sent.request);
  EXPECT_EQ(sent.request->message, "over there");
  EXPECT_EQ(sent.request->key.place, 7u);
  settle();
  client.receive();
  EXPECT_EQ(client.received, "");
  uplinks.receive(1, {.place = sent.place, .answer = session::Delivery::kTaken});
  ASSERT_TRUE(pump_until_received(client, "\r\n\r\n"));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 204 "));
}

TEST_F(UplinkTest, AnAnswerFindsItsClientGone) {
  start();
  const session::UplinkKey there{.shard = 1};
  Client client(address);
  client.send(post("/up", to_string(there) + " x"));
  ASSERT_TRUE(pump([&] { return !mail.sent.empty(); }));
  const uint32_t place = mail.sent.front().place;
  client.break_off();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  settle();
  uplinks.receive(1, {.place = place, .answer = session::Delivery::kTaken});
}

TEST_F(UplinkTest, TwoRequestsOfOneConnectionKeepTheirOrder) {
  start();
  const auto stream = open();
  const session::UplinkKey there{.shard = 1};
  Client client(address);
  client.send(post("/up", to_string(there) + " first") + post("/up", key + " second"));
  ASSERT_TRUE(pump([&] { return !mail.sent.empty(); }));
  settle();
  EXPECT_THAT(script.messages, ElementsAre("hello"));
  uplinks.receive(1, {.place = mail.sent.front().place, .answer = session::Delivery::kTaken});
  ASSERT_TRUE(pump([&] { return script.messages.size() == 2; }));
}

TEST_F(UplinkTest, WhatCannotBeSentIsToldWhy) {
  start();
  const auto stream = open();
  const MetricDelta malformed(R"(parley_push_uplinks_refused_total{reason="malformed"})");
  const MetricDelta origin(R"(parley_push_uplinks_refused_total{reason="origin"})");
  const MetricDelta unknown(R"(parley_uplink_requests_total{outcome="unknown"})");
  EXPECT_THAT(ask_up("nonsense"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask_up(" of another node"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask_up(key + " x", "Origin: https://evil.com\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask_up("0000 x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask_up(std::string(1001, 'x')), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("GET /up HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_EQ(malformed(), 1);
  EXPECT_EQ(origin(), 1);
  EXPECT_EQ(unknown(), 2);
  EXPECT_THAT(script.messages, ElementsAre("hello"));
}

TEST_F(UplinkTest, PagesOfListedOriginsMaySend) {
  start();
  const auto stream = open();
  const std::string page = "Origin: https://a.com\r\n";
  const std::string allowed =
      "Access-Control-Allow-Origin: https://a.com\r\nAccess-Control-Allow-Credentials: true\r\n";
  for (const auto* path : {"/up", "/stream"}) {
    const std::string preflight =
        ask("OPTIONS " + std::string(path) + " HTTP/1.1\r\nHost: server\r\nConnection: close\r\n" +
            page + "Access-Control-Request-Headers: content-type\r\n\r\n");
    EXPECT_THAT(preflight, StartsWith("HTTP/1.1 204 "));
    EXPECT_THAT(preflight, HasSubstr(allowed));
    EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Headers: content-type\r\n"));
    EXPECT_THAT(preflight, HasSubstr("Access-Control-Max-Age: 300\r\n"));
    EXPECT_THAT(preflight, HasSubstr("POST, OPTIONS\r\n"));
    EXPECT_THAT(ask("OPTIONS " + std::string(path) +
                    " HTTP/1.1\r\nHost: server\r\nConnection: close\r\n"
                    "Origin: https://evil.com\r\n\r\n"),
                StartsWith("HTTP/1.1 403 "));
  }
  EXPECT_THAT(ask_up(key + " x", page), HasSubstr(allowed));
  EXPECT_THAT(ask_up("x", page), HasSubstr(allowed));
  EXPECT_THAT(ask_up("0 x", page), HasSubstr(allowed));
}

// --- the end

TEST_F(UplinkTest, WhenTheStreamGoesTheKeyIsDead) {
  start();
  auto client = open();
  client->close();
  ASSERT_TRUE(pump([&] { return !script.ends.empty(); }));
  EXPECT_THAT(ask_up(key + " x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(uplinks.open_uplinks(), 0u);
  EXPECT_THAT(script.messages, ElementsAre("hello"));
}

TEST_F(UplinkTest, WhenTheSessionEndsNothingIsTakenAndThenTheKeyIsDead) {
  start();
  const auto client = open();
  script.on_message = [](ByteView, session::Effects& effects) {
    effects.end(EndReason::kBadRequest);
  };
  EXPECT_THAT(ask_up(key + " bad"), StartsWith("HTTP/1.1 204 "));
  // Until the stream has gone, it is the stream that tells.
  EXPECT_THAT(ask_up(key + " x"), StartsWith("HTTP/1.1 204 "));
  ASSERT_TRUE(pump_until_ended(*client));
  EXPECT_THAT(client->received, ::testing::EndsWith("0\r\n\r\n"));
  client->close();
  ASSERT_TRUE(pump([&] { return uplinks.open_uplinks() == 0; }));
  EXPECT_THAT(ask_up(key + " x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(script.messages, ElementsAre("hello", "bad"));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kBadRequest));
}

TEST_F(UplinkTest, AServerThatStopsOpensNoStream) {
  start();
  sessions().close();
  const std::string answer = ask(post("/stream", "x", "Connection: close\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(script.opened, 0);
}

// --- while the session takes nothing

class BusyUplinkTest : public UplinkTest {
 protected:
  BusyUplinkTest() : UplinkTest({.pending_commands = 2}) {
    script.on_message = [this](ByteView message, session::Effects& effects) {
      if (message == "hello") return;
      most_unanswered =
          std::max(most_unanswered, script.messages.size() - static_cast<size_t>(script.answers));
      effects.history(1, "c", {});
    };
  }
  // All in one turn, so that none is answered in between.
  void deliver(int count, const std::string& message = "m") {
    for (int i = 0; i < count; ++i)
      uplinks.deliver(key, message + std::to_string(i),
                      [this](session::Delivery outcome) { outcomes.push_back(outcome); });
  }
  size_t most_unanswered = 0;
  std::vector<session::Delivery> outcomes;
};

TEST_F(BusyUplinkTest, MessagesWaitInOrder) {
  start();
  const auto client = open();
  deliver(20);
  EXPECT_EQ(outcomes, std::vector(20, session::Delivery::kTaken));
  EXPECT_LE(script.messages.size(), 3u);
  ASSERT_TRUE(pump([&] { return script.messages.size() == 21; }));
  EXPECT_EQ(script.messages.back(), "m19");
  EXPECT_EQ(script.messages[7], "m6");
  EXPECT_LE(most_unanswered, 3u);
}

TEST_F(BusyUplinkTest, MoreThanMayWaitEndsTheSession) {
  start();
  const MetricDelta overrun("parley_push_uplinks_overrun_total");
  auto client = open();
  deliver(2 + PushTransport::kHeldMessages);
  EXPECT_THAT(script.ends, IsEmpty());
  deliver(1);
  EXPECT_EQ(outcomes.back(), session::Delivery::kTooMuch);
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTooManyRequests));
  EXPECT_EQ(overrun(), 1);
  deliver(1);
  EXPECT_EQ(outcomes.back(), session::Delivery::kEnding);
  ASSERT_TRUE(pump_until_ended(*client));

  script.ends.clear();
  client = open();
  deliver(2);
  deliver(2, std::string(PushTransport::kHeldBytes / 2, 'x'));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTooManyRequests));
}

}  // namespace
}  // namespace parley::transport::push
