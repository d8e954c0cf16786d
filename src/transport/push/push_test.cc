#include <gmock/gmock.h>

#include "codec/sse/encoder.h"
#include "tests/support/metric_delta.h"
#include "tests/support/transport_world.h"
#include "transport/push/push_handler.h"
#include "transport/push/push_transport.h"

namespace parley::transport::push {
namespace {

using parley::testing::MetricDelta;
using session::EndReason;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kHeadBehindType =
    "Cache-Control: private, no-cache, no-store, must-revalidate, max-age=0, no-transform\r\n"
    "Pragma: no-cache\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n";
const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" +
                          std::string(kHeadBehindType);
constexpr std::string_view kComment = "3\r\n:\n\n\r\n";

std::string request(std::string_view target = "/sse/news", std::string_view headers = "",
                    std::string_view version = "1.1") {
  return "GET " + std::string(target) + " HTTP/" + std::string(version) + "\r\nHost: server\r\n" +
         std::string(headers) + "\r\n";
}

std::string event(std::string_view data) {
  Buffer out;
  EXPECT_TRUE(codec::sse::encode_event({.data = data}, out));
  return out;
}

class PushTest : public parley::testing::TransportTest {
 protected:
  PushTest() { router.add_prefix("GET", "/sse/", handler); }
  ~PushTest() override { stop(); }

  void end_at_open(EndReason reason) {
    script.on_open = [reason](const session::Handshake&, session::Effects& effects) {
      effects.end(reason);
    };
  }

  PushHandler handler{factory, sessions(), {.origins = http::OriginPolicy({"https://a.com"})}};
};

TEST_F(PushTest, TheHeadAndACommentComeAtOnce) {
  start();
  http::testing::Client client(address);
  client.send(request());
  ASSERT_TRUE(pump_until_received(client, ":\n\n\r\n"));
  EXPECT_EQ(client.received,
            std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n" + std::string(kComment));
  EXPECT_EQ(sessions().size(), 1u);
}

TEST_F(PushTest, OldClientsGetNoChunks) {
  start();
  script.on_open = [](const session::Handshake&, session::Effects& effects) {
    effects.send(event("a"));
    effects.end(EndReason::kShutdown);
  };
  EXPECT_EQ(ask(request("/sse/news", "", "1.0")),
            std::string(kHead) + "Connection: close\r\n\r\n:\n\ndata: a\n\n");
}

TEST_F(PushTest, ASessionThatEndsAtOnceIsAStatus) {
  start();
  const struct {
    EndReason reason;
    std::string_view status;
  } kCases[] = {{EndReason::kUnauthorized, "401 "}, {EndReason::kBadRequest, "400 "},
                {EndReason::kNotAvailable, "404 "}, {EndReason::kTooManyRequests, "429 "},
                {EndReason::kShutdown, "503 "},     {EndReason::kInternalError, "500 "}};
  for (const auto& [reason, status] : kCases) {
    const MetricDelta refused("parley_push_refused_total{reason=\"" +
                              std::string(session::to_string(reason)) + "\"}");
    end_at_open(reason);
    const std::string answer = ask(request("/sse/news", "Connection: close\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(status)));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain"));
    EXPECT_EQ(refused(), 1) << status;
    EXPECT_EQ(sessions().size(), 0u);
  }
  end_at_open(EndReason::kUnauthorized);
  EXPECT_THAT(ask(request("/sse/news", "Connection: close\r\n")),
              HasSubstr("WWW-Authenticate: Bearer\r\n"));
  // The connection serves the next request.
  EXPECT_THAT(ask(request() + request("/sse/news", "Connection: close\r\n")),
              StartsWith("HTTP/1.1 401 "));
}

// Who lets it in is asked, and answers in a later turn.
TEST_F(PushTest, WhoIsRefusedLateGetsAStatusToo) {
  start();
  script.on_open = [](const session::Handshake&, session::Effects& effects) {
    effects.history(0, "news", {});
    effects.set_timer(session::TimerId::kOther, milliseconds(1));
  };
  script.on_timer = [](session::TimerId, session::Effects& effects) {
    effects.end(EndReason::kUnauthorized);
  };
  const MetricDelta refused(R"(parley_push_refused_total{reason="unauthorized"})");
  for (const char* version : {"1.0", "1.1"}) {
    const std::string answer = ask(request("/sse/news", "Origin: https://a.com\r\n", version));
    EXPECT_EQ(answer,
              "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Access-Control-Allow-Origin: https://a.com\r\n"
              "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
              "WWW-Authenticate: Bearer\r\nContent-Length: 22\r\nConnection: close\r\n\r\n"
              "no or bad credentials\n");
  }
  EXPECT_EQ(refused(), 2);
  EXPECT_TRUE(pump([&] { return sessions().size() == 0; }));
}

TEST_F(PushTest, WhoIsLetInLateGetsTheHeadWithTheFirstWords) {
  start();
  script.on_open = [](const session::Handshake&, session::Effects& effects) {
    effects.history(0, "news", {});
    effects.set_timer(session::TimerId::kOther, milliseconds(1));
  };
  script.on_timer = [](session::TimerId, session::Effects& effects) { effects.send(event("a")); };
  http::testing::Client client(address);
  client.send(request());
  ASSERT_TRUE(pump_until_received(client, "data: a\n\n\r\n"));
  EXPECT_EQ(client.received, std::string(kHead) + "Transfer-Encoding: chunked\r\n\r\n" +
                                 std::string(kComment) + "9\r\ndata: a\n\n\r\n");
}

TEST_F(PushTest, RefusesWhatIsNoStream) {
  start();
  const std::string close = "Connection: close\r\n";
  const MetricDelta refused(R"(parley_push_refused_total{reason="origin"})");
  EXPECT_THAT(ask(request("/sse/news", close + "Origin: https://evil.com\r\n")),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(refused(), 1);
  EXPECT_THAT(ask(request("/sse/%zz", close)), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(request("/sse/", close)), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST /sse/news HTTP/1.1\r\nHost: server\r\n" + close + "\r\n"),
              StartsWith("HTTP/1.1 405 "));
  const std::string head = ask("HEAD /sse/news HTTP/1.1\r\nHost: server\r\n" + close + "\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  EXPECT_EQ(script.opened, 0);
}

TEST_F(PushTest, PagesOfListedOriginsMayRead) {
  start();
  http::testing::Client client(address);
  client.send(request("/sse/news", "Origin: https://a.com\r\n"));
  ASSERT_TRUE(pump_until_received(client, ":\n\n\r\n"));
  EXPECT_THAT(client.received, HasSubstr("Access-Control-Allow-Origin: https://a.com\r\n"
                                         "Access-Control-Allow-Credentials: true\r\n"
                                         "Vary: Origin\r\n"));
  // A refusal must be readable for the page too.
  end_at_open(EndReason::kUnauthorized);
  EXPECT_THAT(ask(request("/sse/news", "Connection: close\r\nOrigin: https://a.com\r\n")),
              HasSubstr("Access-Control-Allow-Origin: https://a.com\r\n"));
}

TEST_F(PushTest, AClientThatKeepsTalkingIsClosed) {
  start();
  http::testing::Client client(address);
  // A request behind the first one is never looked at.
  client.send(request() + request());
  ASSERT_TRUE(pump_until_received(client, ":\n\n\r\n"));
  settle();
  EXPECT_EQ(script.opened, 1);
  EXPECT_EQ(shard->open_sockets(), 1u);
  const MetricDelta closed("parley_push_talkers_closed_total");
  client.try_send(std::string(PushTransport::kMaxIgnoredBytes, 'x'));
  ASSERT_TRUE(pump([&] { return shard->open_sockets() == 0; }));
  EXPECT_THAT(script.ends, ElementsAre(EndReason::kTransportLost));
  EXPECT_THAT(script.messages, IsEmpty());
  EXPECT_EQ(closed(), 1);
}

}  // namespace
}  // namespace parley::transport::push
