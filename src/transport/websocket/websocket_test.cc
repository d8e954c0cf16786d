#include <gmock/gmock.h>

#include "codec/websocket/encoder.h"
#include "codec/websocket/trace_sink.h"
#include "tests/support/cuts.h"
#include "tests/support/metric_delta.h"
#include "tests/support/transport_world.h"
#include "transport/websocket/websocket_handler.h"
#include "transport/websocket/websocket_transport.h"

namespace parley::transport::websocket {
namespace {

using codec::websocket::Opcode;
using parley::testing::MetricDelta;
using session::EndReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Lines = std::vector<std::string>;

std::string request(const Lines& headers, std::string_view target = "/ws?a=1") {
  std::string text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: server:8000\r\n";
  for (const std::string& header : headers) text += header + "\r\n";
  return text + "\r\n";
}
const Lines kGood = {"Upgrade: websocket", "Connection: keep-alive, Upgrade",
                     "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="};
constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

Lines with(Lines headers, const std::string& more) {
  headers.push_back(more);
  return headers;
}
Lines without(Lines headers, std::string_view name) {
  std::erase_if(headers, [&](const std::string& header) { return header.starts_with(name); });
  return headers;
}

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  Buffer out;
  codec::websocket::append_masked_frame(out, opcode, payload, 0x12345678, fin);
  return out;
}
std::string text(std::string_view payload) { return frame(Opcode::kText, payload); }
std::string close_frame(uint16_t code) {
  return frame(Opcode::kClose,
               std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)});
}

// The frames behind the handshake's response, as a client reads them.
Lines events_of(std::string_view received) {
  const size_t head = received.find("\r\n\r\n");
  if (head == std::string_view::npos) return {};
  codec::websocket::TraceSink sink;
  codec::websocket::Decoder decoder({.message_bytes = 1 << 24}, codec::websocket::Role::kClient);
  feed(decoder, received.substr(head + 4), sink);
  return sink.events();
}

class WebSocketTest : public parley::testing::TransportTest {
 protected:
  WebSocketTest() { router.add("GET", "/ws", handler); }
  ~WebSocketTest() override { stop(); }

  std::unique_ptr<http::testing::Client> open(int receive_buffer = 0) {
    auto client = std::make_unique<http::testing::Client>(address, receive_buffer);
    client->send(request(kGood));
    EXPECT_TRUE(pump_until_received(*client, "\r\n\r\n"));
    return client;
  }
  ::testing::AssertionResult pump_until_events(http::testing::Client& client, size_t count) {
    return pump([&] {
      client.receive();
      return client.ended || client.reset || events_of(client.received).size() >= count;
    });
  }
  ::testing::AssertionResult pump_until_session_ends() {
    return pump([&] { return !script.ends.empty(); });
  }

  WebSocketHandler handler{factory,
                           sessions(),
                           {.message_bytes = 1000,
                            .subprotocols = {"one", "two"},
                            .origins = http::OriginPolicy({"https://a.com"})}};
};

TEST_F(WebSocketTest, SwitchesProtocols) {
  start();
  std::string seen;
  script.on_open = [&](const session::Handshake& handshake, session::Effects&) {
    seen = std::string(handshake.transport) + ' ' + std::string(handshake.path) + ' ' +
           std::string(handshake.query) + ' ' + std::string(handshake.header("x-token")) + ' ' +
           std::string(handshake.peer);
  };
  http::testing::Client client(address);
  client.send(request(with(kGood, "X-Token: t")));
  ASSERT_TRUE(pump_until_received(client, "\r\n\r\n"));
  EXPECT_EQ(client.received, std::string(kSwitching) + "\r\n");
  EXPECT_EQ(seen, "websocket /ws a=1 t 127.0.0.1");
}

TEST_F(WebSocketTest, ChoosesASubprotocol) {
  start();
  std::string told;
  script.on_open = [&](const session::Handshake& handshake, session::Effects&) {
    told = handshake.subprotocol;
  };
  const struct {
    std::string_view offered;
    std::string_view chosen;
    std::string_view told;
  } kCases[] = {{"x, two, one", "Sec-WebSocket-Protocol: two\r\n", "two"}, {"x", "", ""}};
  for (const auto& [offered, chosen, to_adapter] : kCases) {
    http::testing::Client client(address);
    client.send(request(with(kGood, "Sec-WebSocket-Protocol: " + std::string(offered))));
    ASSERT_TRUE(pump_until_received(client, "\r\n\r\n"));
    EXPECT_EQ(client.received, std::string(kSwitching) + std::string(chosen) + "\r\n");
    EXPECT_EQ(told, to_adapter);
  }
}

TEST_F(WebSocketTest, AcceptsPagesOfItsOwnAndListedOrigins) {
  start();
  for (const std::string origin : {"http://server:8000", "https://a.com"}) {
    http::testing::Client client(address);
    client.send(request(with(kGood, "Origin: " + origin)));
    ASSERT_TRUE(pump_until_received(client, "\r\n\r\n"));
    EXPECT_THAT(client.received, StartsWith("HTTP/1.1 101 ")) << origin;
  }
}

// Nothing that follows a refused handshake is taken as a request.
TEST_F(WebSocketTest, RefusesBadHandshakes) {
  start();
  const struct {
    Lines headers;
    std::string_view status;
    std::string reason;
  } kCases[] = {
      {with(kGood, "Origin: https://evil.com"), "403 ", "origin"},
      {with(kGood, "Origin: null"), "403 ", "origin"},
      {without(kGood, "Upgrade"), "4", "version"},
      {without(kGood, "Sec-WebSocket-Key"), "400 ", "malformed"},
      {with(without(kGood, "Sec-WebSocket-Key"), "Sec-WebSocket-Key: short"), "400 ", "malformed"},
      {with(kGood, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), "400 ", "malformed"},
      {with(without(kGood, "Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"), "426 ",
       "version"},
      {with(kGood, "Sec-WebSocket-Protocol: a b"), "400 ", "malformed"},
  };
  for (const auto& [headers, status, reason] : kCases) {
    const MetricDelta refused("parley_websocket_handshakes_refused_total{reason=\"" + reason +
                              "\"}");
    const std::string answer = ask(request(headers) + request(kGood));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status))) << headers.back();
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr(" 101 "))) << headers.back();
    EXPECT_EQ(refused(), 1) << headers.back();
  }
  EXPECT_THAT(
      ask(request(with(without(kGood, "Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"))),
      HasSubstr("Sec-WebSocket-Version: 13\r\n"));
  EXPECT_EQ(script.opened, 0);
}

TEST_F(WebSocketTest, TheSameAtEveryCut) {
  start();
  const std::string input = request(kGood) + text("hello") + frame(Opcode::kText, "wo", false) +
                            frame(Opcode::kPing, "p") + frame(Opcode::kContinuation, "rld") +
                            close_frame(1000);
  parley::testing::for_each_cut(
      input,
      [&](const std::vector<std::string_view>& pieces) {
        http::testing::Client client(address);
        for (const auto piece : pieces) {
          client.send(piece);
          shard->turn(milliseconds(0));
        }
        ASSERT_TRUE(pump_until_ended(client));
        EXPECT_THAT(client.received, StartsWith(std::string(kSwitching)));
        // Where the pong stands among the messages depends on the cut.
        Lines events = events_of(client.received);
        EXPECT_LE(std::erase(events, "pong(p)"), 1u);
        std::erase(events, "text(hello)");
        std::erase(events, "text(world)");
        EXPECT_THAT(events, ElementsAre("close(1000,)"));
      },
      5);
  for (size_t i = 0; i < script.messages.size(); ++i)
    EXPECT_EQ(script.messages[i], i % 2 == 0 ? "hello" : "world");
  EXPECT_EQ(script.messages.size(), 2 * static_cast<size_t>(script.opened));
}

TEST_F(WebSocketTest, CarriesTextAndBinary) {
  start();
  const auto client = open();
  client->send(text("a") + frame(Opcode::kBinary, "b"));
  ASSERT_TRUE(pump_until_events(*client, 2));
  EXPECT_THAT(script.types,
              ElementsAre(session::MessageType::kText, session::MessageType::kBinary));
  script.type = session::MessageType::kBinary;
  client->send(text("c"));
  ASSERT_TRUE(pump_until_events(*client, 3));
  EXPECT_THAT(events_of(client->received), ElementsAre("text(a)", "text(b)", "bin(c)"));
}

TEST_F(WebSocketTest, EveryPingIsAnswered) {
  start();
  const auto client = open();
  std::string pings;
  Lines pongs;
  for (int i = 0; i < 10; ++i) {
    const std::string payload = std::string(100, 'x') + std::to_string(i);
    pings += frame(Opcode::kPing, payload);
    pongs.push_back("pong(" + payload + ")");
  }
  client->send(pings);
  ASSERT_TRUE(pump_until_events(*client, 10));
  EXPECT_EQ(events_of(client->received), pongs);
}

TEST_F(WebSocketTest, OfAFloodOfPingsTheNewestIsAnswered) {
  start();
  const MetricDelta floods("parley_websocket_ping_floods_total");
  const auto client = open();
  std::string pings;
  for (int i = 0; i < 5000; ++i) pings += frame(Opcode::kPing, std::to_string(10'000 + i));
  client->send(pings);
  ASSERT_TRUE(pump_until_received(*client, "14999"));
  const Lines events = events_of(client->received);
  EXPECT_EQ(events.back(), "pong(14999)");
  EXPECT_LT(events.size(), 4000u);
  EXPECT_GT(floods(), 0);
  EXPECT_TRUE(std::ranges::is_sorted(events));
}

TEST_F(WebSocketTest, APongWaitsForTheEndOfAFrame) {
  start({.send_buffer = 16 * 1024});
  const std::string large(150'000, 'x');  // three of them are less than pauses the input
  script.on_message = [&](ByteView, session::Effects& effects) {
    for (int i = 0; i < 3; ++i) effects.send(large);
  };
  const auto client = open(4096);
  client->send(text("go"));
  settle();
  client->send(frame(Opcode::kPing, "now"));
  settle();
  ASSERT_TRUE(pump_until_events(*client, 4));
  const std::string message = "text(" + large + ")";
  // It passes the frames that have not been begun.
  EXPECT_THAT(events_of(client->received), ElementsAre(message, "pong(now)", message, message));
}

TEST_F(WebSocketTest, TheClientsCloseIsEchoed) {
  start();
  for (const auto& [sent, echoed] : {std::pair{close_frame(4321), "close(4321,)"},
                                     {frame(Opcode::kClose, ""), "close(1005,)"}}) {
    script.ends.clear();
    const auto client = open();
    client->send(sent + text("never"));
    ASSERT_TRUE(pump_until_ended(*client));
    EXPECT_THAT(events_of(client->received), ElementsAre(echoed));
    EXPECT_THAT(script.ends, ElementsAre(EndReason::kClientLeft));
  }
  EXPECT_THAT(script.messages, IsEmpty());
}

TEST_F(WebSocketTest, TheClientsCloseWaitsForTheEndOfAFrame) {
  start({.send_buffer = 16 * 1024});
  const std::string large(150'000, 'x');  // three of them are less than pauses the input
  script.on_message = [&](ByteView, session::Effects& effects) {
    for (int i = 0; i < 3; ++i) effects.send(large);
  };
  const auto client = open(4096);
  client->send(text("go"));
  settle();
  client->send(close_frame(1001));
  settle();
  ASSERT_TRUE(pump_until_ended(*client));
  EXPECT_THAT(events_of(client->received), ElementsAre("text(" + large + ")", "close(1001,)"));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kClientLeft));
}

TEST_F(WebSocketTest, TheSessionsEndIsToldInItsProtocolsWords) {
  start();
  script.on_message = [](ByteView message, session::Effects& effects) {
    effects.send(message);
    if (message == "end") effects.end(EndReason::kUnauthorized);
  };
  script.on_end = [](EndReason, session::Effects& effects) {
    effects.send("last words");
    return session::EndCode{3500, "bad token"};
  };
  const auto client = open();
  client->send(text("end") + text("never"));
  ASSERT_TRUE(pump_until_ended(*client));
  EXPECT_THAT(events_of(client->received),
              ElementsAre("text(end)", "text(last words)", "close(3500,bad token)"));
  EXPECT_THAT(script.messages, ElementsAre("end"));
  // The peer's answer, and what it still sends, are not looked at.
  client->send(text("never") + close_frame(3500));
  client->end();
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_THAT(script.messages, ElementsAre("end"));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kUnauthorized));
}

TEST_F(WebSocketTest, ASessionMayEndAtOnce) {
  start();
  script.on_open = [](const session::Handshake&, session::Effects& effects) {
    effects.end(EndReason::kLimit);
  };
  http::testing::Client client(address);
  client.send(request(kGood) + text("never"));
  ASSERT_TRUE(pump_until_ended(client));
  EXPECT_THAT(events_of(client.received), ElementsAre("close(3000,bye)"));
  EXPECT_THAT(script.messages, IsEmpty());
}

TEST_F(WebSocketTest, ASlowReaderIsNotSentTheRest) {
  start({.send_buffer = 16 * 1024});
  const std::string large(150'000, 'x');  // three of them are less than pauses the input
  script.on_message = [&](ByteView message, session::Effects& effects) {
    if (message == "go")
      for (int i = 0; i < 3; ++i) effects.send(large);
    else
      effects.end(EndReason::kSlow);
  };
  const auto client = open(4096);
  client->send(text("go"));
  settle();
  client->send(text("end"));
  settle();
  ASSERT_TRUE(pump_until_ended(*client));
  EXPECT_THAT(events_of(client->received), ElementsAre("text(" + large + ")", "close(3000,bye)"));
}

TEST_F(WebSocketTest, BrokenProtocolIsAnsweredWithItsCode) {
  start();
  std::string empty_fragments;
  for (int i = 0; i < 1000; ++i) empty_fragments += frame(Opcode::kContinuation, "", false);
  const struct {
    std::string sent;
    std::string_view code;
    EndReason reason;
    std::string fault;
  } kCases[] = {
      {std::string("\x81\x01x", 3), "close(1002,", EndReason::kBadRequest, "protocol_error"},
      {frame(Opcode::kContinuation, "x"), "close(1002,", EndReason::kBadRequest, "protocol_error"},
      {text("\xff"), "close(1007,", EndReason::kBadRequest, "invalid_text"},
      {text(std::string(1001, 'x')), "close(1009,", EndReason::kMessageTooLarge, "message_too_big"},
      {frame(Opcode::kText, std::string(600, 'x'), false) +
           frame(Opcode::kContinuation, std::string(600, 'x')),
       "close(1009,", EndReason::kMessageTooLarge, "message_too_big"},
      {frame(Opcode::kText, "", false) + empty_fragments, "close(1008,", EndReason::kBadRequest,
       "empty_fragments"},
  };
  for (const auto& [sent, code, reason, fault] : kCases) {
    const MetricDelta errors("parley_websocket_errors_total{reason=\"" + fault + "\"}");
    script.ends.clear();
    script.messages.clear();
    const auto client = open();
    client->send(sent + text("never"));
    ASSERT_TRUE(pump_until_ended(*client));
    EXPECT_THAT(events_of(client->received), ElementsAre(StartsWith(std::string(code))));
    EXPECT_THAT(script.ends, ElementsAre(reason));
    EXPECT_THAT(script.messages, IsEmpty());
    EXPECT_EQ(errors(), 1) << fault;
  }
}

TEST_F(WebSocketTest, WhoIsNotKnownMaySendLess) {
  WebSocketHandler strict{factory, sessions(), {.message_bytes = 1000, .first_message_bytes = 100}};
  router.add("GET", "/strict", strict);
  start();
  script.on_message = [](ByteView message, session::Effects& effects) {
    if (message == "connect") effects.identify();
  };
  const std::string long_text = text(std::string(1000, 'x'));
  const struct {
    std::string sent;
    std::string_view close;
    size_t messages;
    int too_early;
    int too_big;
  } kCases[] = {
      {text(std::string(100, 'x')) + text(std::string(101, 'x')),
       "close(1009,message too big before connect: client.message_size_limit_before_connect)", 1, 1,
       0},
      {text("connect") + long_text + close_frame(1000), "close(1000,)", 2, 0, 0},
      {text("connect") + text(std::string(1001, 'x')),
       "close(1009,message too big: message_size_limit of websocket or uni_websocket)", 1, 0, 1},
      // It waits, for keys perhaps: nobody knows yet who that is.
      {text("slow connect") + long_text,
       "close(1009,message too big before connect: client.message_size_limit_before_connect)", 1, 1,
       0},
  };
  const MetricDelta early(
      "parley_websocket_errors_total{reason=\"message_too_big_before_connect\"}");
  const MetricDelta big("parley_websocket_errors_total{reason=\"message_too_big\"}");
  int early_so_far = 0;
  int big_so_far = 0;
  for (const auto& [sent, close, messages, too_early, too_big] : kCases) {
    script.ends.clear();
    script.messages.clear();
    http::testing::Client client(address);
    client.send(request(kGood, "/strict") + sent);
    ASSERT_TRUE(pump_until_ended(client));
    EXPECT_THAT(events_of(client.received), ElementsAre(std::string(close)));
    EXPECT_EQ(script.messages.size(), messages);
    EXPECT_EQ(early(), early_so_far += too_early) << close;
    EXPECT_EQ(big(), big_so_far += too_big) << close;
  }
}

// However well TCP ended (RFC 6455 7.1.5).
TEST_F(WebSocketTest, WithoutACloseFrameTheConnectionBroke) {
  start();
  const auto client = open();
  client->end();
  ASSERT_TRUE(pump_until_session_ends());
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTransportLost));
}

}  // namespace
}  // namespace parley::transport::websocket
