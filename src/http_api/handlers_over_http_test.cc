// The handlers behind a real HTTP server: routes, statuses, clients that leave.
#include "auth/token_authenticator.h"
#include "auth/token_testing.h"
#include "http/http_testing.h"
#include "http_api/health_handlers.h"
#include "http_api/publish_door.h"
#include "tests/support/fake_quotas.h"
#include "tests/support/http_api_testing.h"

namespace parley::http_api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class FakeReadiness final : public Readiness {
 public:
  std::string_view waiting_for() const override { return reason; }
  std::string_view reason;
};

class CountingTokens final : public auth::Authenticator {
 public:
  explicit CountingTokens(auth::Authenticator& inner) : inner_(inner) {}
  std::optional<auth::TokenResult> verify(auth::TokenUse use, std::string_view token,
                                          WallMillis now, auth::Asker asker, Done done) override {
    ++verified;
    return inner_.verify(use, token, now, asker, std::move(done));
  }
  int verified = 0;

 private:
  auth::Authenticator& inner_;
};

class HandlersOverHttpTest : public http::testing::HttpTest {
 protected:
  HandlersOverHttpTest() {
    api.add_routes(router);
    door.add_routes(router);
    health.add_health_routes(router);
    health.add_metrics_route(router);
    start();
  }

  std::string request(const std::string& head, const std::string& body = "") {
    return head + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  // One exchange; the world turns while the client waits.
  std::string talk(const std::string& bytes) {
    http::testing::Client client(address);
    client.send(bytes);
    client.end();
    EXPECT_TRUE(pump([&] {
      world.run();
      client.receive();
      return client.ended || client.reset;
    }));
    return client.received;
  }

  parley::testing::SessionWorld world;
  FakeNode node;
  FakeReadiness readiness;
  auth::OpenAccess access;
  ServerApi api{world.hub(), node, {.key = "k", .body_bytes = 100}};
  parley::testing::FakeQuotas quotas;
  CountingTokens tokens{world.tokens()};
  PublishDoor door{world.hub(), access, tokens, {.data_bytes = 100, .quotas = &quotas}};
  HealthHandlers health{readiness};
};

TEST_F(HandlersOverHttpTest, ServerApi) {
  const std::string body = R"({"channel":"c","data":1})";
  EXPECT_THAT(talk(request("POST /api/publish?api_key=k", body)),
              ::testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"({"result":{"offset":1,)"),
                               HasSubstr("application/json")));
  EXPECT_THAT(talk(request("POST /api/publish", body)), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(talk(request("POST /api/publish?api_key=k", "{")), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(talk(request("POST /api/what?api_key=k", "{}")), HasSubstr(R"("code":104)"));
  for (const char* method : {"GET", "PUT", "DELETE"})
    EXPECT_THAT(talk(request(std::string(method) + " /api/publish?api_key=k")),
                StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(talk(request("POST /api?api_key=k", R"({"id":9,"method":"info"})")),
              HasSubstr(R"({"id":9,"result":{"nodes":)"));
  EXPECT_THAT(talk(request("POST /api", "{}")), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(talk(request("POST /api/publish?api_key=k", std::string(101, ' '))),
              StartsWith("HTTP/1.1 413 "));
}

// A body that never comes: whoever may not send it is answered before.
TEST_F(HandlersOverHttpTest, StrangersAreAnsweredWithoutTheirBody) {
  const std::string length = " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_THAT(talk("POST /api/publish" + length + "\r\n"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(talk("POST /pub/news" + length + "X-API-Key: wrong\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(talk("POST /pub/news" + length + "Origin: https://elsewhere.example\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(talk("POST /pub/news HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                   "Authorization: Bearer forged\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
}

// A large body is announced, so that the token is looked at first.
TEST_F(HandlersOverHttpTest, TheRateIsAskedBeforeATokenIsVerified) {
  const auto send = [this](const char* token) {
    return talk(std::string("POST /pub/news HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                            "Authorization: Bearer ") +
                token + "\r\n\r\n2\r\n17\r\n0\r\n\r\n");
  };
  quotas.left = 2;
  EXPECT_THAT(send("forged"), StartsWith("HTTP/1.1 401 "));
  EXPECT_EQ(tokens.verified, 1) << "its head says all there is to know";
  EXPECT_EQ(*quotas.left, 1u);
  quotas.left = 2;
  world.tokens().connect_token("good", "42");
  EXPECT_THAT(send("good"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(*quotas.left, 0u) << "once for its address, once for its user";
  tokens.verified = 0;
  EXPECT_THAT(send("forged"), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(send("good"), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(tokens.verified, 0);
}

TEST_F(HandlersOverHttpTest, AnAnnouncedBodyThatIsEmptyIsPaidForOnce) {
  world.tokens().connect_token("good", "42");
  const auto send = [this](const char* framing) {
    return talk(std::string("POST /pub/news HTTP/1.1\r\nHost: h\r\n") + framing);
  };
  constexpr const char* kToken = "Authorization: Bearer good\r\n\r\n";
  // The address in each case, and the user.
  for (const char* framing : {"Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\n", ""}) {
    quotas.left = 3;
    const bool chunked = framing[0] == 'T';
    EXPECT_THAT(send((std::string(framing) + kToken + (chunked ? "0\r\n\r\n" : "")).c_str()),
                StartsWith("HTTP/1.1 400 "))
        << framing;
    EXPECT_EQ(*quotas.left, 1u) << framing;
  }
}

// The keys of its token are fetched meanwhile, but what is late is told to one request only.
TEST_F(HandlersOverHttpTest, WhileTheBodyComesNobodyWaits) {
  world.tokens().connect_token("good", "42");
  world.tokens().slow = true;
  http::testing::Client client(address);
  client.send(
      "POST /pub/news HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
      "Authorization: Bearer good\r\n\r\n2\r\n17\r\n0\r\n\r\n");
  ASSERT_TRUE(pump([&] { return world.tokens().waiting() == 2; }));
  EXPECT_TRUE(world.tokens().asker(0).gone());
  EXPECT_FALSE(world.tokens().asker(1).gone());
  world.tokens().answer_all();
  client.end();
  EXPECT_TRUE(pump([&] {
    world.run();
    client.receive();
    return client.ended;
  }));
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 "));
}

TEST_F(HandlersOverHttpTest, PublishDoor) {
  EXPECT_THAT(talk(request("POST /pub/chat%2Froom", "hello")),
              ::testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"("offset":1)")));
  EXPECT_EQ(std::get<hub::ReadPage>(*world.history("chat/room", {.limit = 1})).top, 1u);
  EXPECT_THAT(talk(request("OPTIONS /pub/news")), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(talk(request("GET /pub/news")), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(talk(request("POST /pub/news", std::string(101, 'x'))),
              ::testing::AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr(R"("code":107)")));
}

TEST_F(HandlersOverHttpTest, HealthAndMetrics) {
  EXPECT_THAT(talk(request("GET /health")), ::testing::AllOf(HasSubstr(" 200 "), HasSubstr("{}")));
  EXPECT_THAT(talk(request("GET /health/live")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(talk(request("GET /health/ready")), StartsWith("HTTP/1.1 200 "));
  readiness.reason = "draining";
  EXPECT_THAT(
      talk(request("GET /health/ready")),
      ::testing::AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr(R"({"waiting_for":"draining"})")));
  EXPECT_THAT(talk(request("GET /health/live")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(talk(request("GET /metrics")),
              ::testing::AllOf(HasSubstr("text/plain; version=0.0.4"),
                               HasSubstr("# TYPE parley_server_api_calls_total counter")));
  EXPECT_THAT(talk(request("HEAD /health")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HandlersOverHttpTest, AClientThatLeavesLeavesNothingBehind) {
  for (const std::string& bytes :
       {request("POST /api/publish?api_key=k", R"({"channel":"c","data":1})"),
        request("POST /pub/c", "2")}) {
    http::testing::Client client(address);
    client.send(bytes);
    EXPECT_TRUE(pump([&] { return api.calls_waiting() + door.waiting() > 0; }));
    client.break_off();
    settle();
    world.run();
    EXPECT_EQ(api.calls_waiting() + door.waiting(), 0u);
  }
  EXPECT_EQ(std::get<hub::ReadPage>(*world.history("c", {.limit = 10})).publications.size(), 2u);
  EXPECT_THAT(talk(request("GET /health")), StartsWith("HTTP/1.1 200 "));
}

// The door, where the keys of tokens are fetched.
class FetchedKeysTest : public http::testing::HttpTest {
 protected:
  FetchedKeysTest() {
    door.add_routes(router);
    start();
  }
  void fetched() {
    tokens.on_fetched("https://keys.example/set", R"({"keys":[]})", world.now().wall);
    tokens.turn(world.now().wall);
  }
  // Keys that are asked for while the body comes are there before it.
  std::string post_slowly() {
    const std::string token =
        auth::testing::token_of(auth::testing::ec_key(), "ES256", R"({"sub":"42"})", "bad");
    const size_t before = fetcher.urls.size();
    http::testing::Client client(address);
    client.send(
        "POST /pub/news HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        "Authorization: Bearer " +
        token + "\r\n\r\n");
    EXPECT_TRUE(pump([&] { return fetcher.urls.size() > before; }));
    fetched();
    world.advance(std::chrono::seconds(1));
    client.send("2\r\n17\r\n0\r\n\r\n");
    client.end();
    EXPECT_TRUE(pump([&] {
      world.run();
      client.receive();
      return client.ended || client.reset;
    }));
    return client.received;
  }

  parley::testing::SessionWorld world;
  auth::OpenAccess access;
  auth::testing::FakeFetcher fetcher;
  auth::TokenAuthenticator tokens{
      {auth::testing::rules_of({.jwks_public_endpoint = "https://keys.example/set"}), nullptr},
      fetcher};
  PublishDoor door{world.hub(), access, tokens, {.data_bytes = 100}};
};

// The first look, at the head, is the one that has the keys fetched.
TEST_F(FetchedKeysTest, ALargeBodyWithABadTokenIsToldSo) {
  post_slowly();
  world.advance(std::chrono::minutes(1));
  EXPECT_THAT(post_slowly(), StartsWith("HTTP/1.1 401 "));
}

}  // namespace
}  // namespace parley::http_api::testing
