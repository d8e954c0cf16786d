// permessage-deflate between a client and a session: what is agreed, what is compressed, and what
// is shared.
#include <gmock/gmock.h>

#include "codec/websocket/decoder.h"
#include "codec/websocket/deflate_testing.h"
#include "tests/support/cuts.h"
#include "tests/support/metric_delta.h"
#include "tests/support/transport_world.h"
#include "transport/websocket/websocket_handler.h"

namespace parley::transport::websocket {
namespace {

using codec::websocket::Inflater;
using codec::websocket::Opcode;
using codec::websocket::testing::bomb;
using codec::websocket::testing::compressed_frame;
using codec::websocket::testing::deflated;
using codec::websocket::testing::sample;
using parley::testing::MetricDelta;
using session::EndReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Lines = std::vector<std::string>;
constexpr size_t kLimit = 1000;
constexpr size_t kMaxBytes = 200'000;

std::string request(std::string_view offers, std::string_view target = "/ws") {
  std::string text = "GET " + std::string(target) +
                     " HTTP/1.1\r\nHost: server:8000\r\nUpgrade: websocket\r\nConnection: "
                     "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                     "dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!offers.empty()) text += "Sec-WebSocket-Extensions: " + std::string(offers) + "\r\n";
  return text + "\r\n";
}
std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  Buffer out;
  codec::websocket::append_masked_frame(out, opcode, payload, 0x12345678, fin);
  return out;
}
std::string compressed_text(std::string_view message) {
  return compressed_frame(Opcode::kText, deflated(message));
}

// Notes messages as a client reads them; "z" before those that came compressed.
class ClientSink final : public codec::websocket::MessageSink {
 public:
  void on_message(bool text, ByteView payload) override {
    note(std::exchange(inflated_, false) ? (text ? "ztext" : "zbin") : (text ? "text" : "bin"),
         payload);
  }
  void on_ping(ByteView payload) override { note("ping", payload); }
  void on_pong(ByteView payload) override { note("pong", payload); }
  void on_close(uint16_t code, ByteView) override { note("close", std::to_string(code)); }
  void on_inflated(size_t, size_t) override { inflated_ = true; }

  Lines events;

 private:
  void note(std::string_view what, ByteView payload) {
    events.push_back(std::string(what).append("(").append(payload).append(")"));
  }
  bool inflated_ = false;
};

Lines events_of(std::string_view received) {
  const size_t head = received.find("\r\n\r\n");
  if (head == std::string_view::npos) return {};
  std::string bytes(received.substr(head + 4));
  Inflater inflater;
  const codec::websocket::Inflation inflation{inflater, 1 << 24};
  codec::websocket::Decoder decoder({.message_bytes = 1 << 24}, codec::websocket::Role::kClient,
                                    &inflation);
  ClientSink sink;
  EXPECT_TRUE(decoder.decode(bytes, sink));
  return sink.events;
}

class CompressionTest : public parley::testing::TransportTest {
 protected:
  CompressionTest() {
    router.add("GET", "/ws", handler);
    router.add("GET", "/large", large);
    router.add("GET", "/plain", plain);
  }
  ~CompressionTest() override { stop(); }

  std::unique_ptr<http::testing::Client> open(std::string_view offers = "permessage-deflate",
                                              std::string_view target = "/ws",
                                              int receive_buffer = 0) {
    auto client = std::make_unique<http::testing::Client>(address, receive_buffer);
    client->send(request(offers, target));
    EXPECT_TRUE(pump_until_received(*client, "\r\n\r\n"));
    return client;
  }
  ::testing::AssertionResult pump_until_events(http::testing::Client& client, size_t count) {
    return pump([&] {
      client.receive();
      return client.ended || client.reset || events_of(client.received).size() >= count;
    });
  }
  std::string echo(http::testing::Client& client, const std::string& message) {
    client.received = "\r\n\r\n";
    client.send(frame(Opcode::kText, message));
    EXPECT_TRUE(pump_until_events(client, 1));
    return events_of(client.received).at(0);
  }

  Compression compression{{.min_bytes = 100, .max_bytes = kMaxBytes}};
  WebSocketHandler handler{
      factory, sessions(), {.message_bytes = kLimit, .compression = &compression}};
  WebSocketHandler large{
      factory,
      sessions(),
      {.message_bytes = kLimit, .compression = &compression, .inflated_bytes = 1 << 19}};
  WebSocketHandler plain{factory, sessions(), {.message_bytes = kLimit}};
};

constexpr std::string_view kAnswer =
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
    "client_no_context_takeover";

TEST_F(CompressionTest, IsAgreedInTheHandshake) {
  start();
  const MetricDelta agreed("parley_websocket_deflate_agreed_total");
  EXPECT_THAT(open("permessage-deflate; client_max_window_bits")->received,
              HasSubstr(std::string(kAnswer) + "\r\n"));
  EXPECT_THAT(open("permessage-deflate; server_max_window_bits=10")->received,
              HasSubstr(std::string(kAnswer) + "; server_max_window_bits=9\r\n"));
  EXPECT_EQ(agreed(), 2);
  for (const std::string_view offers : {"", "permessage-deflate; mystery", "other"})
    EXPECT_THAT(open(offers)->received, Not(HasSubstr("Extensions"))) << offers;
  EXPECT_THAT(open("permessage-deflate", "/plain")->received, Not(HasSubstr("Extensions")));
  // One that cannot be read is not asked for, where there is no compression.
  EXPECT_THAT(open("permessage-deflate;", "/plain")->received, StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(agreed(), 2);
  const MetricDelta malformed("parley_websocket_handshakes_refused_total{reason=\"malformed\"}");
  EXPECT_THAT(ask(request("permessage-deflate;")), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(malformed(), 1);
}

TEST_F(CompressionTest, BothSidesMayCompressAndNeitherMust) {
  start();
  const std::string json = sample(500, false, 1);
  const MetricDelta inflated("parley_websocket_inflated_messages_total");
  const auto client = open();
  client->send(compressed_text(json) + frame(Opcode::kText, json) + compressed_text("short") +
               frame(Opcode::kText, "short"));
  ASSERT_TRUE(pump_until_events(*client, 4));
  EXPECT_THAT(script.messages, ElementsAre(json, json, "short", "short"));
  EXPECT_THAT(events_of(client->received), ElementsAre("ztext(" + json + ")", "ztext(" + json + ")",
                                                       "text(short)", "text(short)"));
  EXPECT_EQ(inflated(), 2);
  EXPECT_LT(client->received.size(), json.size());
  // Who did not ask is sent plain messages, and may not compress.
  const auto other = open("");
  EXPECT_EQ(echo(*other, json), "text(" + json + ")");
  other->send(compressed_text(json));
  ASSERT_TRUE(pump_until_ended(*other));
  EXPECT_THAT(events_of(other->received).back(), "close(1002)");
}

TEST_F(CompressionTest, OnlyWhatIsWorthIt) {
  start();
  const MetricDelta messages("parley_websocket_deflated_messages_total");
  const MetricDelta in("parley_websocket_deflated_bytes_in_total");
  const MetricDelta out("parley_websocket_deflated_bytes_out_total");
  const MetricDelta larger("parley_websocket_left_plain_total{reason=\"not_smaller\"}");
  const auto client = open();
  EXPECT_THAT(echo(*client, std::string(99, 'a')), StartsWith("text("));
  EXPECT_EQ(messages() + larger(), 0);
  EXPECT_THAT(echo(*client, std::string(100, 'a')), StartsWith("ztext("));
  EXPECT_EQ(messages(), 1);
  EXPECT_EQ(in(), 100);
  EXPECT_LT(out(), 20);
  std::string noise;  // as text
  for (const char c : sample(150, true, 2)) noise += static_cast<char>(c & 0x7f);
  EXPECT_EQ(echo(*client, noise), "text(" + noise + ")");
  EXPECT_EQ(larger(), 1);
  script.on_message = [](ByteView, session::Effects& effects) {
    effects.send(std::string(kMaxBytes, 'b'));
    effects.send(std::string(kMaxBytes + 1, 'b'));
  };
  client->received = "\r\n\r\n";
  client->send(frame(Opcode::kText, "go"));
  ASSERT_TRUE(pump_until_events(*client, 2));
  const Lines events = events_of(client->received);
  EXPECT_THAT(events[0], StartsWith("ztext("));
  EXPECT_THAT(events[1], StartsWith("text("));
}

TEST_F(CompressionTest, TheTypeOfAMessageStays) {
  start();
  script.type = session::MessageType::kBinary;
  EXPECT_EQ(echo(*open(), std::string(200, 'a')), "zbin(" + std::string(200, 'a') + ")");
}

TEST_F(CompressionTest, PausedItSendsPlainMessages) {
  start();
  const std::string json = sample(500, false, 3);
  const MetricDelta paused("parley_websocket_left_plain_total{reason=\"paused\"}");
  const auto client = open();
  EXPECT_THAT(echo(*client, json), StartsWith("ztext("));
  compression.pause(true);
  EXPECT_EQ(echo(*client, json), "text(" + json + ")");
  EXPECT_EQ(paused(), 1);
  // New clients agree on it all the same, and it is taken from everybody.
  const auto other = open();
  EXPECT_THAT(other->received, HasSubstr(std::string(kAnswer)));
  other->received = "\r\n\r\n";
  other->send(compressed_text(json));
  ASSERT_TRUE(pump_until_events(*other, 1));
  EXPECT_THAT(events_of(other->received), ElementsAre("text(" + json + ")"));
  compression.pause(false);
  EXPECT_THAT(echo(*client, json), StartsWith("ztext("));
}

struct NoRequester final : hub::Requester {
  void on_answer(hub::StepId, hub::Answer) override {}
};

TEST_F(CompressionTest, APublicationIsCompressedOncePerWindow) {
  start();
  script.on_open = [](const session::Handshake&, session::Effects& effects) {
    effects.subscribe({.name = "news"}, {});
  };
  std::vector<std::unique_ptr<http::testing::Client>> clients;
  for (const std::string_view offers :
       {"permessage-deflate", "permessage-deflate; server_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=14", "permessage-deflate; mystery"})
    for (int i = 0; i < 5; ++i) clients.push_back(open(offers));
  settle();
  const MetricDelta compressed("parley_websocket_deflated_messages_total");
  const MetricDelta encoded("parley_encodings_total");
  const std::string json = sample(1000, false, 4);
  NoRequester requester;
  const auto id = hub().add(requester);
  for (int i = 0; i < 3; ++i) {
    hub::PublishRecord record;
    record.channel = {.name = "news"};
    record.publication =
        std::make_unique<hub::Publication>(parley::testing::text(std::to_string(i) + json));
    hub().publish(id, 1, std::move(record));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(pump_until_events(*clients[i], 3));
    const std::string what = i < 15 ? "ztext(" : "text(";
    EXPECT_THAT(
        events_of(clients[i]->received),
        ElementsAre(what + "0" + json + ")", what + "1" + json + ")", what + "2" + json + ")"));
  }
  EXPECT_EQ(compressed(), 3 * 3);
  EXPECT_EQ(encoded(), 3 * 4);
}

TEST_F(CompressionTest, ASlowReaderGetsWholeFrames) {
  start({.send_buffer = 16 * 1024});
  Lines expected;
  std::string noise;  // compresses a little
  for (const char c : sample(kMaxBytes - 10, true, 5)) noise += static_cast<char>('0' + (c & 0x1f));
  script.on_message = [&](ByteView, session::Effects& effects) {
    for (int i = 0; i < 4; ++i) effects.send(std::to_string(i) + noise);
  };
  for (int i = 0; i < 4; ++i) expected.push_back("ztext(" + std::to_string(i) + noise + ")");
  const auto client = open("permessage-deflate", "/ws", 4096);
  client->send(frame(Opcode::kText, "go"));
  settle();
  const auto other = open();
  EXPECT_THAT(echo(*other, "x"), "ztext(0" + noise + ")");
  ASSERT_TRUE(pump_until_events(*client, 4));
  EXPECT_EQ(events_of(client->received), expected);
}

TEST_F(CompressionTest, TheSameAtEveryCut) {
  start();
  const std::string json = sample(200, false, 6);
  const std::string packed = deflated(json);
  const std::string input =
      request("permessage-deflate") + compressed_text("hello") +
      compressed_frame(Opcode::kText, packed.substr(0, 9), false) + frame(Opcode::kPing, "p") +
      frame(Opcode::kContinuation, packed.substr(9)) + frame(Opcode::kClose, "");
  parley::testing::for_each_cut(
      input,
      [&](const std::vector<std::string_view>& pieces) {
        script.messages.clear();
        http::testing::Client client(address);
        for (const auto piece : pieces) {
          client.send(piece);
          shard->turn(milliseconds(0));
        }
        ASSERT_TRUE(pump_until_ended(client));
        EXPECT_THAT(script.messages, ElementsAre("hello", json));
      },
      5);
}

TEST_F(CompressionTest, BadContentIsAnsweredWithItsCode) {
  start();
  const std::string mega = bomb(64 << 20);
  const struct {
    std::string sent;
    std::string_view target;
    std::string_view close;
    EndReason reason;
    std::string fault;
  } kCases[] = {
      {compressed_frame(Opcode::kText, "Hello"), "/ws", "close(1007)", EndReason::kBadRequest,
       "invalid_deflate"},
      {compressed_text("\xff"), "/ws", "close(1007)", EndReason::kBadRequest, "invalid_text"},
      {compressed_frame(Opcode::kContinuation, ""), "/ws", "close(1002)", EndReason::kBadRequest,
       "protocol_error"},
      {compressed_text(std::string(kLimit + 1, 'a')), "/ws", "close(1009)",
       EndReason::kMessageTooLarge, "inflated_too_big"},
      {compressed_frame(Opcode::kBinary, mega.substr(0, 1000)), "/large", "close(1009)",
       EndReason::kMessageTooLarge, "inflated_too_big"},
      {compressed_frame(Opcode::kBinary, mega), "/ws", "close(1009)", EndReason::kMessageTooLarge,
       "message_too_big"},
  };
  for (const auto& [sent, target, close, reason, fault] : kCases) {
    const MetricDelta errors("parley_websocket_errors_total{reason=\"" + fault + "\"}");
    script.ends.clear();
    const auto client = open("permessage-deflate", target);
    client->try_send(sent + frame(Opcode::kText, "never"));
    ASSERT_TRUE(pump_until_ended(*client));
    EXPECT_THAT(events_of(client->received), ElementsAre(close)) << fault;
    EXPECT_THAT(script.ends, ElementsAre(reason));
    EXPECT_EQ(errors(), 1) << fault;
    EXPECT_EQ(
        client->received.find("websocket.decompressed_message_size_limit") != client->received.npos,
        fault == "inflated_too_big");
  }
  EXPECT_THAT(script.messages, IsEmpty());
}

}  // namespace
}  // namespace parley::transport::websocket
