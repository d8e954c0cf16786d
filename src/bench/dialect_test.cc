#include "bench/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/wire.h"
#include "tests/support/cuts.h"

namespace parley::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kDialectRun = 5;

std::string payload(uint64_t sequence, size_t bytes = Payload::kMinBytes) {
  std::string text;
  Payload{.run = kDialectRun, .stream = 0, .sequence = sequence, .sent_ns = 1}.append_to(text,
                                                                                         bytes);
  return text;
}

std::string frame(const std::string& text) {
  std::string out;
  append_server_frame(out, text);
  return out;
}

// A client's frames, unmasked, one behind the other.
std::string unmask(std::string_view bytes) {
  std::string out;
  while (const auto one = parse_frame(bytes)) {
    for (size_t i = one->payload; i < one->end; ++i)
      out.push_back(static_cast<char>(bytes[i] ^ kMask[(i - one->payload) % 4]));
    bytes.remove_prefix(one->end);
  }
  return out;
}

// What came of a conversation.
struct Heard {
  bool ready = false;
  uint64_t deliveries = 0;
  uint64_t replies = 0;
  std::string answer;
  std::string refusal;
  bool operator==(const Heard&) const = default;
};

// Feeds what a server says, as a socket would.
Heard hear(Dialect& dialect, const std::string& channel,
           const std::vector<std::string_view>& pieces) {
  Ledger ledger({.run = kDialectRun});
  for (int i = 0; i < 3; ++i) ledger.publish(0);
  Peer peer{.channel = channel, .subscriber = 0};
  Buffer opening;
  dialect.open(peer, opening);
  Heard heard;
  std::string partial;
  for (const std::string_view piece : pieces) {
    partial.append(piece);
    Inbox inbox{.ledger = ledger, .now_ns = 2, .answer = heard.answer};
    partial.erase(0, dialect.read(peer, partial, inbox));
    heard.replies += inbox.replies;
    if (heard.refusal.empty()) heard.refusal = inbox.refusal;
  }
  heard.ready = peer.ready;
  heard.deliveries = ledger.counts().deliveries;
  return heard;
}

// However the bytes are cut, the same is heard.
Heard hear_in_all_cuts(Dialect& dialect, const std::string& channel, const std::string& bytes) {
  const Heard whole = hear(dialect, channel, {bytes});
  parley::testing::for_each_cut(bytes, [&](const std::vector<std::string_view>& pieces) {
    EXPECT_EQ(hear(dialect, channel, pieces), whole);
  });
  return whole;
}

constexpr char kSwitching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

std::string push(uint64_t sequence, size_t bytes = Payload::kMinBytes) {
  return R"({"push":{"channel":"c","pub":{"data":)" + payload(sequence, bytes) +
         R"(,"offset":1}}})";
}

TEST(BenchCentrifuge, ConnectsSubscribesAndCounts) {
  const auto dialect = make_subscriber(Protocol::kCentrifuge, {.host = "h", .token = "t"});
  const Heard heard = hear_in_all_cuts(
      *dialect, "c",
      kSwitching + frame(R"({"id":1,"connect":{}})") + frame(R"({"id":2,"subscribe":{}})") +
          frame("{}") + frame(push(1)) + frame(push(2, 300) + "\n" + push(3)) +
          frame(R"({"id":3,"publish":{}})") + frame(R"({"push":{"channel":"c","join":{}}})"));
  EXPECT_TRUE(heard.ready);
  EXPECT_EQ(heard.deliveries, 3u);
  EXPECT_EQ(heard.replies, 1u);
  EXPECT_EQ(heard.refusal, "");
  EXPECT_EQ(unmask(heard.answer),
            R"({"id":1,"connect":{"token":"t"}}{"id":2,"subscribe":{"channel":"c"}}{})");
}

TEST(BenchCentrifuge, TellsWhatIsRefused) {
  const auto dialect = make_subscriber(Protocol::kCentrifuge, {.host = "h"});
  EXPECT_THAT(hear_in_all_cuts(*dialect, "c", "HTTP/1.1 503 Busy\r\n\r\n").refusal,
              HasSubstr("503 Busy"));
  const std::string connected = kSwitching + frame(R"({"id":1,"connect":{}})");
  const Heard denied = hear_in_all_cuts(
      *dialect, "c", connected + frame(R"({"id":2,"error":{"code":103,"message":"denied"}})"));
  EXPECT_FALSE(denied.ready);
  EXPECT_THAT(denied.refusal, HasSubstr("denied"));
  EXPECT_THAT(hear_in_all_cuts(*dialect, "c", connected + "\x88\x06\x0d\xacstop").refusal, "stop");
}

TEST(BenchCentrifuge, Publishes) {
  const auto dialect = make_publisher(Protocol::kCentrifuge, {.host = "h"});
  Buffer out;
  dialect->publish("c", "\"x\"", out);
  EXPECT_EQ(unmask(out), R"({"id":3,"publish":{"channel":"c","data":"x"}})");
}

TEST(BenchEventSource, CountsDataLinesOnly) {
  const auto dialect = make_subscriber(Protocol::kEventSource, {.host = "h"});
  const Heard heard = hear_in_all_cuts(
      *dialect, "c",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n:\n\nid: e.0\nretry: 1\n\n\r\n"
      "50\r\nid: e.1\ndata: " +
          payload(1) + "\n\nid: e.2\ndata: " + payload(2) + "\n\n\r\n");
  EXPECT_TRUE(heard.ready);
  EXPECT_EQ(heard.deliveries, 2u);
  EXPECT_THAT(hear_in_all_cuts(*dialect, "c", "HTTP/1.1 403 No\r\n\r\n").refusal, HasSubstr("403"));
}

TEST(BenchEventSource, OthersBeginWithoutAPosition) {
  const auto dialect = make_subscriber(Protocol::kNchanSse, {.host = "h"});
  const Heard heard = hear_in_all_cuts(
      *dialect, "c", "HTTP/1.1 200 OK\r\n\r\n: hi\n\nid: 1:0\ndata: " + payload(1) + "\n\n");
  EXPECT_EQ(heard, (Heard{.ready = true, .deliveries = 1}));
  Peer peer{.channel = "c"};
  Buffer out;
  dialect->open(peer, out);
  EXPECT_THAT(out, StartsWith("GET /sub/c HTTP/1.1\r\n"));
}

TEST(BenchPush, SubscribesWithItsTokenAndCountsPublications) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string connected = R"({"id":1,"connect":{"client":"x","subs":{"c":{}}}})";
  const auto stream = make_subscriber(Protocol::kHttpStream, {.host = "h"});
  const Heard lines = hear_in_all_cuts(*stream, "c",
                                       head + "20\r\n" + connected + "\n\r\n30\r\n" + push(1) +
                                           "\n" + push(2) + "\n\r\n3\r\n{}\n\r\n");
  EXPECT_EQ(lines, (Heard{.ready = true, .deliveries = 2}));
  const auto events = make_subscriber(Protocol::kSse, {.host = "h"});
  const Heard data = hear_in_all_cuts(*events, "c",
                                      head + "2\r\n\r\n\r\n20\r\ndata: " + connected +
                                          "\n\n\r\n30\r\ndata: " + push(1) + "\n\n\r\n");
  EXPECT_EQ(data, (Heard{.ready = true, .deliveries = 1}));
  EXPECT_THAT(hear_in_all_cuts(*stream, "c",
                               head + "9\r\n"
                                      R"({"id":1,"error":{"code":109}})"
                                      "\n")
                  .refusal,
              HasSubstr("109"));
  Peer peer{.channel = "c"};
  Buffer out;
  events->open(peer, out);
  EXPECT_THAT(out, StartsWith("POST /connection/sse HTTP/1.1\r\n"));
  // {"channels":["c"]}
  EXPECT_THAT(out, HasSubstr(".eyJjaGFubmVscyI6WyJjIl19."));
}

TEST(BenchApi, PostsOneOrABatchAndReadsAnswers) {
  const auto one = make_api_publisher({.host = "h", .api_key = "k"}, 1);
  Buffer out;
  one->publish("c", "1", out);
  one->finish(out);
  EXPECT_EQ(out,
            "POST /api/publish HTTP/1.1\r\nHost: h\r\nX-API-Key: k\r\n"
            "Content-Type: application/json\r\nContent-Length: 24\r\n\r\n"
            R"({"channel":"c","data":1})");
  const auto many = make_api_publisher({.host = "h"}, 2);
  out.clear();
  many->publish("c", "1", out);
  many->publish("d", "2", out);
  EXPECT_EQ(out, "");
  many->finish(out);
  EXPECT_THAT(out, StartsWith("POST /api/batch "));
  EXPECT_THAT(out, HasSubstr(R"({"commands":[{"publish":{"channel":"c","data":1}},)"
                             R"({"publish":{"channel":"d","data":2}}]})"));
  const std::string good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  EXPECT_EQ(hear_in_all_cuts(*one, "", good + good), (Heard{.ready = true, .replies = 2}));
  EXPECT_THAT(hear_in_all_cuts(*one, "", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").refusal,
              HasSubstr("401"));
  EXPECT_THAT(
      hear_in_all_cuts(*one, "", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"error\":{}}")
          .refusal,
      HasSubstr("error"));
}

TEST(BenchNchan, TakesFramesAsMessages) {
  const auto subscriber = make_subscriber(Protocol::kNchan, {.host = "h"});
  const Heard heard = hear_in_all_cuts(
      *subscriber, "c", kSwitching + frame(payload(1)) + frame(payload(2)) + "\x89\x02hi");
  EXPECT_TRUE(heard.ready);
  EXPECT_EQ(heard.deliveries, 2u);
  EXPECT_EQ(unmask(heard.answer), "hi");
  const auto publisher = make_publisher(Protocol::kNchan, {.host = "h"});
  Buffer out;
  publisher->publish("c", "x", out);
  EXPECT_EQ(out, "POST /pub/c HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
}

TEST(BenchNats, SpeaksInLines) {
  const auto dialect = make_subscriber(Protocol::kNats, {.host = "h"});
  const std::string data = payload(1);
  const Heard heard = hear_in_all_cuts(
      *dialect, "c",
      "INFO {}\r\nPONG\r\nPING\r\nMSG c 1 " + std::to_string(data.size()) + "\r\n" + data + "\r\n");
  EXPECT_EQ(heard, (Heard{.ready = true, .deliveries = 1, .answer = "PONG\r\n"}));
  EXPECT_THAT(hear_in_all_cuts(*dialect, "c", "-ERR 'no'\r\n").refusal, HasSubstr("no"));
  Peer peer{.channel = "c"};
  Buffer out;
  dialect->open(peer, out);
  EXPECT_THAT(out, HasSubstr("SUB c 1\r\nPING\r\n"));
  out.clear();
  dialect->publish("c", "xy", out);
  EXPECT_EQ(out, "PUB c 2\r\nxy\r\n");
}

}  // namespace
}  // namespace parley::bench
